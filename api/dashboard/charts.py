"""The charts: one Vega-Lite specification each, made here and drawn in the page; their marks link to the mentions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from api.i18n import Reader

Spec = dict[str, Any]
COLOURS = {"positive": "#3b7fc4", "neutral": "#8a929c", "negative": "#d9730d"}
"""Blue and orange differ for every kind of sight; each holds 3:1 against our light and our dark background."""


WITHIN_A_YEAR = timedelta(days=300)
"""A chart of more than this names the year on its axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A piece of a stacked bar: its bucket [at, end), the label of its sentiment, where it stands, what is behind."""

    at: date
    end: date
    sentiment: str
    n: int
    low: int
    high: int
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """A point of the emotion curve: net sentiment on −2..+2 with its interval; `thin` where n is small."""

    stage: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    net: str
    thin: bool
    href: str


def volume(bars: Sequence[Bar], labels: dict[str, str], reader: Reader) -> Spec:
    """Mentions per bucket, stacked by sentiment. `labels` maps the sentiments, in order of stacking, to their words."""
    import altair as alt

    colour = alt.Scale(domain=list(labels.values()), range=[COLOURS[key] for key in labels])
    far = max(bar.end for bar in bars) - min(bar.at for bar in bars) > WITHIN_A_YEAR
    days = alt.Axis(grid=False, format="%b %Y" if far else "%-d %b", labelOverlap=True, labelSeparation=8, tickCount=8)
    chart = (
        alt.Chart(_data(bars))
        .mark_bar(cursor="pointer", xOffset=0.5, x2Offset=-0.5)
        .encode(
            x=alt.X("at:T", scale=alt.Scale(type="utc"), title=None, axis=days),
            x2="end:T",
            y=alt.Y("low:Q", title=reader.say("Mentions"), axis=alt.Axis(tickMinStep=1, tickCount=4)),
            y2="high:Q",
            color=alt.Color("sentiment:N", scale=colour, legend=alt.Legend(title=None, orient="top")),
            href="href:N",
            tooltip=[
                alt.Tooltip("at:T", title=reader.say("Day"), format="%-d %b %Y", formatType="utc"),
                alt.Tooltip("sentiment:N", title=reader.say("Sentiment")),
                alt.Tooltip("n:Q", title=reader.say("Mentions"), format=",d"),
            ],
        )
        .properties(width="container", height=220, description=reader.say("Mentions per day, stacked by sentiment"))
    )
    return _finished(chart, reader)


def emotion_curve(moods: Sequence[Mood], reader: Reader) -> Spec:
    """Net sentiment per stage as a curve with 95 % intervals; a stage without mentions leaves a gap."""
    import altair as alt

    known = [mood for mood in moods if mood.value is not None]
    stages = [mood.stage for mood in moods]
    x = alt.X("stage:N", sort=stages, scale=alt.Scale(domain=stages, padding=0), axis=None)
    y = alt.Y("value:Q", scale=alt.Scale(domain=[-2, 2]), axis=None)
    tone = alt.condition("datum.value < 0", alt.value(COLOURS["negative"]), alt.value(COLOURS["positive"]))
    faint = alt.condition("datum.thin", alt.value(0.45), alt.value(1))
    base = alt.Chart(_data(known)).encode(x=x)
    zero = alt.Chart(alt.Data(values=[{"value": 0}])).mark_rule(strokeDash=[3, 3], opacity=0.5).encode(y=y)
    line = base.mark_line(strokeWidth=2, interpolate="monotone", color=COLOURS["neutral"]).encode(y=y)
    whisker = base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", axis=None), y2="high:Q", color=tone, opacity=faint)
    dot = base.mark_circle(size=170, cursor="pointer", opacity=1).encode(
        y=y, color=tone, opacity=faint, href="href:N",
        tooltip=[
            alt.Tooltip("stage:N", title=reader.say("Stage")),
            alt.Tooltip("net:N", title=reader.say("Net sentiment")),
            alt.Tooltip("n:Q", title=reader.say("Mentions"), format=",d"),
        ],
    )
    chart = alt.layer(zero, line, whisker, dot).properties(
        width="container", height=150, description=reader.say("Net sentiment per stage of the journey"),
        padding={"left": 0, "right": 0, "top": 8, "bottom": 8}, autosize={"type": "fit-x", "contains": "padding"},
    )
    return _finished(chart, reader)


def warm_up() -> None:
    """Import what draws now, so that the first page does not wait for it."""
    import altair  # noqa: F401


def _data(rows: Sequence[Bar | Mood]) -> Any:
    import altair as alt

    return alt.Data(values=[{key: _plain(value) for key, value in asdict(row).items()} for row in rows])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _finished(chart: Any, reader: Reader) -> Spec:
    """The specification as JSON, without Altair's own theme (the page brings its colours) and with our locale."""
    spec: Spec = chart.to_dict(validate=False)  # the tests validate; a page need not
    spec.pop("config", None)
    spec["usermeta"] = {"embedOptions": {"formatLocale": _numbers(), "timeFormatLocale": _times(reader)}}
    return spec


def _numbers() -> dict[str, Any]:
    return {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "minus": "−"}


def _times(reader: Reader) -> dict[str, Any]:
    """d3's words for dates, taken from babel's."""
    from babel import Locale

    locale = Locale.parse(reader.locale)
    days, months = locale.days["stand-alone"], locale.months["stand-alone"]
    sunday_first = (6, 0, 1, 2, 3, 4, 5)
    return {
        "dateTime": "%-d %b %Y %H:%M", "date": "%-d %b %Y", "time": "%H:%M", "periods": ["a. m.", "p. m."],
        "days": [days["wide"][day] for day in sunday_first],
        "shortDays": [days["abbreviated"][day] for day in sunday_first],
        "months": [months["wide"][month] for month in range(1, 13)],
        "shortMonths": [months["abbreviated"][month] for month in range(1, 13)],
    }
