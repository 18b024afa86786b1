"""The key figures of a period, each with its interval, its n, and its change against the period before."""

from __future__ import annotations

from dataclasses import dataclass

from api.i18n import N_, Reader
from escucha.journey import SentimentMix

ENOUGH = 20
"""Below this many mentions a figure is shown in grey with its n."""
TREND = {-1: "down", 0: "flat", 1: "up"}

MENTIONS_METHOD = N_("How many mentions the filters mean. The change is in per cent of the previous period.")
NET_METHOD = N_(
    "Net sentiment = 100 × (positive − negative) / all with a sentiment; from −100 to 100. 95 % interval by Newcombe's "
    "method. The change is in points."
)
NEGATIVE_METHOD = N_(
    "Negative mentions among those with a sentiment, with the 95 % Wilson interval. The change is in percentage points."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One card: the value as written, what is behind it, and its change. `trend` is up, down, flat or None."""

    key: str
    title: str
    value: str
    n: int
    method: str
    interval: str | None = None
    trend: str | None = None
    change: str | None = None
    before: str | None = None

    @property
    def thin(self) -> bool:
        """Whether too few mentions are behind it to lean on."""
        return self.n < ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A period's own measures."""

    mentions: int
    mix: SentimentMix


def relative_change(now: float, before: float) -> float | None:
    """(now − before) / before; None where there was nothing before."""
    return (now - before) / before if before else None


def difference(now: float | None, before: float | None) -> float | None:
    """now − before; None where either is unknown."""
    return None if now is None or before is None else now - before


def figures(reader: Reader, now: Measured, before: Measured | None) -> tuple[Figure, ...]:
    """The overview's cards. `before` is None where no earlier data exist to compare with."""
    return _mentions(reader, now, before), _net(reader, now.mix, before), _negative(reader, now.mix, before)


def _mentions(reader: Reader, now: Measured, before: Measured | None) -> Figure:
    change = relative_change(now.mentions, before.mentions) if before else None
    return Figure(
        key="mentions", title=reader.say("Mentions"), value=reader.number(now.mentions), n=now.mentions,
        method=reader.say(MENTIONS_METHOD), trend=_trend(change, 3),
        change=None if change is None else f"{reader.signed(100 * change)} %",
        before=reader.number(before.mentions) if before else None,
    )


def _net(reader: Reader, mix: SentimentMix, before: Measured | None) -> Figure:
    change = difference(mix.net, before.mix.net) if before else None
    return Figure(
        key="net", title=reader.say("Net sentiment"), value=reader.signed(mix.net), n=mix.n,
        method=reader.say(NET_METHOD), interval=net_interval(reader, mix), trend=_trend(change, 0),
        change=None if change is None else reader.say("{points} pts", points=reader.signed(change)),
        before=reader.signed(before.mix.net) if before else None,
    )


def _negative(reader: Reader, mix: SentimentMix, before: Measured | None) -> Figure:
    now, then = mix.negative, before.mix.negative if before else None
    interval = reader.say("{low} to {high}", low=reader.percent(now.low), high=reader.percent(now.high))
    change = difference(now.share, then.share) if mix.n and then and then.n else None
    return Figure(
        key="negative", title=reader.say("Negative"), value=reader.percent(now.share if mix.n else None), n=mix.n,
        method=reader.say(NEGATIVE_METHOD), trend=_trend(change, 2),
        interval=interval if mix.n else None,
        change=None if change is None else reader.say("{points} pp", points=reader.signed(100 * change)),
        before=reader.percent(then.share) if then and then.n else None,
    )


def net_interval(reader: Reader, mix: SentimentMix) -> str | None:
    """The 95 % interval of net sentiment as written, or None without mentions."""
    if mix.net_low is None:
        return None
    return reader.say("{low} to {high}", low=reader.signed(mix.net_low), high=reader.signed(mix.net_high))


def _trend(change: float | None, digits: int) -> str | None:
    if change is None:
        return None
    rounded = round(change, digits)
    return TREND[(rounded > 0) - (rounded < 0)]
