"""A source that searches: its watches are written in the query language, and what it finds is checked again here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, ClassVar

from collectors.bookmark import notes_of
from collectors.online import OnlineSource
from collectors.several import Walk, walk_each
from collectors.translate import Abilities, translated
from collectors.walk import Step
from escucha.brand import Query
from escucha.errors import Invalid, Refused
from escucha.mention import Mention
from escucha.query import tree
from escucha.query.about import excludes_only
from escucha.query.excerpt import told_by_excerpt
from escucha.query.fields import Place
from escucha.query.match import matches_mention
from escucha.query.parse import fields_of, parse
from escucha.query.spelling import spellings
from escucha.source import Asking, Cursor

NATIVE = "native:"
"""What stands before a text that goes to the upstream as it is, and is not checked."""
LABELS = frozenset({"sentiment", "stage", "pain", "touchpoint", "tag"})
"""Fields that the models fill in, after a mention has come in."""
TOLD_BY_SOME = frozenset({"title", "lang", "country", "site", "url", "followers", "engagement", "rating"})
"""Fields that not every source tells."""
_OPERATOR = r"(?<![^\s(])-?[A-Za-z]+[_\d]\w*:\S+"
"""`min_likes:10`: upstreams have such operators, we have none."""
_QUOTED = re.compile(r"<<<.*?>>>|[\"“”„«].*?[\"“”»]", re.DOTALL)


class Searching(OnlineSource):
    """Asks for what the upstream can say of a query, and keeps what means all of it.

    A source sets `abilities`; `part` says where in a watch's text the query stands, and `understood` has the source
    itself read what it is asked, to complain before a watch is saved.
    """

    abilities: ClassVar[Abilities]

    @classmethod
    def part(cls, text: str) -> slice | None:
        """Where in a watch's text the query stands; None where the text names a place, to be read whole."""
        return slice(0, len(text))

    @classmethod
    def understood(cls, text: str) -> Any:
        """What the source makes of a text in the upstream's own search. Raises Refused."""
        return text

    @classmethod
    def asking(cls, text: str) -> Asking | None:
        """What a watch with this text asks, None where it names a place (escucha.source.Searches). Raises Invalid."""
        asked = _asking(cls, text)
        for search in asked.searches if asked else ():
            try:
                cls.understood(search)
            except Refused as error:
                raise Invalid(error.message, **error.details) from None
        return asked

    @classmethod
    def asked(cls, text: str) -> Asking:
        """The same of a watch that is saved already: what cannot be read is the upstream's own, as it was before."""
        source: Any = cls
        return _asked(source, text)

    def _is_about(self, query: Query, mention: Mention) -> bool:
        checked = self.asked(query.text).checked
        return super()._is_about(query, mention) and (checked is None or matches_mention(checked, mention, ""))

    def _each(self, query: Query, cursor: Cursor | None, walk: Callable[[str], Walk]) -> Iterator[Step]:
        """The steps of every search that the query takes; `walk` makes one's walk."""
        notes, walks = notes_of(query, cursor), {text: walk(text) for text in self.asked(query.text).searches}
        if len(walks) > 1:
            return walk_each(notes, walks)
        (only,) = walks.values()
        return only(notes)


def before_at(text: str) -> slice:
    """Where the query stands in `words@server`: before the last @."""
    return slice(0, max(text.rfind("@"), 0))


@lru_cache(maxsize=1_000)
def _asked(source: Any, text: str) -> Asking:
    try:
        return _asking(source, text) or Asking(searches=(text,))
    except Invalid:
        return Asking(searches=(text,))


def _asking(source: type[Searching], text: str) -> Asking | None:
    part = source.part(text)
    if part is None or not text[part].strip():
        return None
    if text[part].lstrip().startswith(NATIVE):
        native = text[part].replace(NATIVE, "", 1)
        if not native.strip():
            raise Invalid("The query is empty. Write at least one word.", line=1, column=1)
        return Asking(searches=(f"{text[:part.start]}{native}{text[part.stop:]}",))
    written = re.sub(r"\S", " ", text[: part.start]) + text[part]  # so that complaints name the right column
    query = parse(written)
    _complain(source, written, query)
    title = source.facts.title or source.facts.name
    searches = translated(query, spellings(text[part]), source.abilities, title)
    return Asking(
        searches=tuple(f"{text[:part.start]}{search}{text[part.stop:]}" for search in searches),
        checked=told_by_excerpt(query) if source.abilities.excerpt else query,
    )


def _complain(source: type[Searching], written: str, query: tree.Query) -> None:
    """Refuse what means something else to the upstream, and what can be neither asked nor checked."""
    title = source.facts.title or source.facts.name
    own = re.search(rf"{_OPERATOR}|{source.abilities.own}", _QUOTED.sub(lambda found: "·" * len(found[0]), written))
    if own:
        raise Invalid(
            "Line {line}, column {column}: {source} reads {text} in a way of its own. Leave it out, or write native: "
            "before the whole query: then it goes there as it stands, and nothing is checked here.",
            **_place(written, own.start()), source=title, text=written[own.start() : own.end()],
        )
    for name, given in fields_of(written):
        _complain_of(source, title, name, f"{given.name}:", given.at)
    if excludes_only(query):
        raise Invalid(
            "This query says only what is not wanted, and {source} would find everything else. Write a word that must "
            "occur.", source=title, line=1, column=1,
        )


def _complain_of(source: type[Searching], title: str, field: str, name: str, place: Place) -> None:
    can, followers = source.abilities, source.facts.followers_in_answer
    if field in LABELS:
        raise Invalid(
            "Line {line}, column {column}: {name} is not known yet when a mention comes in; it is read afterwards. "
            "Leave it out here, and filter the stored mentions by it.", **place, name=name,
        )
    if field == "brand":
        raise Invalid("Line {line}, column {column}: a watch belongs to one brand. Leave {name} out.", **place,
                      name=name)
    if field == "followers" and followers == "second call":
        raise Invalid(
            "Line {line}, column {column}: {source} tells {name} only afterwards, author by author. Leave it out here, "
            "and filter the stored mentions by it.", **place, name=name, source=title,
        )
    if field in TOLD_BY_SOME - can.tells:
        raise Invalid(
            "Line {line}, column {column}: {source} does not tell {name}. Leave it out, or it would find nothing.",
            **place, name=name, source=title,
        )


def _place(text: str, start: int) -> Place:
    return {"line": text.count("\n", 0, start) + 1, "column": start - text.rfind("\n", 0, start)}
