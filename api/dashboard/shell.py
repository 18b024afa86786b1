"""The frame around every page: brand, dates, filters, language, notices; and how a page is rendered within it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.dashboard.compare import ENOUGH
from api.dashboard.doubts import to_check
from api.dashboard.highlight import highlight, safe_link
from api.dashboard.labels import SIGN, Labels
from api.dashboard.parts import marked, told
from api.deps import LANGUAGE_COOKIE, LANGUAGE_PARAMETER
from api.i18n import LANGUAGES, N_, Reader
from api.selection import FACETS, PERIODS, View
from escucha.brand import Brand
from escucha.filter import MentionFilter

HERE = Path(__file__).parent
YEAR = 365 * 24 * 3600
THEMES = ("light", "dark")
NAVIGATION = (
    ("/", N_("Overview"), "overview"),
    ("/journey", N_("Journey map"), "journey"),
    ("/mentions", N_("Mentions"), "mentions"),
    ("/sources", N_("Sources"), "sources"),
    ("/rules", N_("Rules"), "rules"),
    ("/relevance", N_("Relevance"), "relevance"),
    ("/learning", N_("Model"), "learning"),
    ("/jobs", N_("Tag again"), "jobs"),
    ("/data", N_("Data and privacy"), "data"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter in force, and the address without it."""

    field: str
    text: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a page is about: the reader, the brand, and the choice as the address says it. `path` is the page's own."""

    path: str
    reader: Reader
    labels: Labels
    view: View
    brand: Brand
    brands: tuple[Brand, ...]
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The brand's own time zone."""
        return ZoneInfo(self.brand.timezone)

    @property
    def days(self) -> tuple[date | None, date | None]:
        """First and last local day of the period, both included."""
        return self.view.days(self.now.astimezone(self.zone).date())

    @property
    def filter(self) -> MentionFilter:
        """The choice in the store's terms."""
        today = self.now.astimezone(self.zone).date()
        return self.view.meant_on(today, self.brand.timezone, self.labels.catalogue)

    def link(self, path: str | None = None, /, **changes: Any) -> str:
        """The address of a page for this choice with some changes; the page itself if no path is given."""
        return self.view.address(path or self.path, **changes)

    def between(self, first: date, last: date, **changes: Any) -> str:
        """The address of the mentions of some local days, for this choice with some changes."""
        return self.link("/mentions", **{"from": first.isoformat(), "to": last.isoformat()}, **changes)

    def moment(self, at: datetime) -> str:
        """A time as the reader writes it, in the brand's zone."""
        return self.reader.moment(at, self.zone, self.now)

    def hidden(self, own: tuple[str, ...]) -> list[tuple[str, str]]:
        """The choice as hidden fields, for a form that has fields of its `own` for the rest."""
        return [(name, value) for name, value in self.view.pairs() if name not in own]

    @property
    def chips(self) -> tuple[Chip, ...]:
        """Every filter in force with its way out."""
        chosen = [(field, key) for field in FACETS for key in getattr(self.view, field)]
        chips = [
            Chip(field=field, text=self.labels.of(field, key), without=self.link(
                **{field: [other for other in getattr(self.view, field) if other != key]}))
            for field, key in chosen
        ]
        if self.view.review:
            text = self.reader.say("the least sure first")
            chips.append(Chip(field="review", text=text, without=self.link(review=None)))
        if self.view.copies:
            chips.append(Chip(field="copies", text=self.reader.say("only once"), without=self.link(copies=None)))
        if self.view.cluster:
            text = self.reader.say("of mention {id}", id=self.view.cluster)
            chips.append(Chip(field="cluster", text=text, without=self.link(cluster=None)))
        if self.view.hidden:
            text = self.reader.say("hidden ones")
            chips.append(Chip(field="hidden", text=text, without=self.link(hidden=None)))
        if self.view.q:
            chips.append(Chip(field="q", text=f"“{self.view.q}”", without=self.link(q=None)))
        return tuple(chips)

    @property
    def presets(self) -> tuple[tuple[str, str, bool], ...]:
        """The named periods: word, address, whether it is in force."""
        return tuple(
            (self.labels.period(period), self.link(period=period), period == self.view.period) for period in PERIODS
        )

    @property
    def span(self) -> str:
        """The period in dates."""
        first, last = self.days
        if first and last and first == last:
            return self.reader.day(first)
        if first and last:
            start, end = self.reader.day(first, "d MMM"), self.reader.day(last)
            return self.reader.say("{first} to {last}", first=start, last=end)
        if first:
            return self.reader.say("since {first}", first=self.reader.day(first))
        return self.reader.say("until {last}", last=self.reader.day(last)) if last else self.labels.period("all")

    @property
    def steps(self) -> tuple[str, str] | None:
        """The addresses one period earlier and later; None where the period is open."""
        first, last = self.days
        if first is None or last is None:
            return None
        length = last - first + timedelta(days=1)
        ways = ((first - length, last - length), (first + length, last + length))
        back, forth = (self.link(**{"from": a.isoformat(), "to": b.isoformat()}) for a, b in ways)
        return back, forth


@lru_cache
def environment() -> Environment:
    """The templates; everything that is filled in is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    made.globals.update(SIGN=SIGN, ENOUGH=ENOUGH, LANGUAGES=LANGUAGES, NAVIGATION=NAVIGATION, highlight=highlight,
                        to_check=to_check, marked=marked, told=told)
    made.filters.update(safe_link=safe_link, combined=operator.or_)
    return made


def render(
    request: Request, template: str, reader: Reader, /, status: HTTPStatus = HTTPStatus.OK, **content: Any
) -> Response:
    """A page. The language asked for in the address is remembered."""
    words = {"_": reader.say, "ngettext": reader.say_many, "reader": reader, "theme": _theme(request),
             "languages": _languages(request), "frame": None}
    response = HTMLResponse(environment().get_template(template).render(words | content), status)
    if request.query_params.get(LANGUAGE_PARAMETER) in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, reader.lang, max_age=YEAR, samesite="lax", httponly=True)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = reader.lang
    return response


def render_error(
    request: Request, reader: Reader, status: HTTPStatus, message: str, headers: Mapping[str, str]
) -> Response:
    """A page that says what went wrong, and the way back. It asks nothing of the database, which may be the trouble."""
    response = render(request, "error.html", reader, status, message=message)
    response.headers.update(headers)
    return response


def _theme(request: Request) -> str | None:
    theme = request.cookies.get("theme")
    return theme if theme in THEMES else None


def _languages(request: Request) -> dict[str, str]:
    """This same page in each language."""
    here = request.url.replace(scheme="", netloc="")
    return {lang: str(here.include_query_params(**{LANGUAGE_PARAMETER: lang})) for lang in LANGUAGES}
