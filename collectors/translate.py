"""Says a query in the words of an upstream's own search, so that nothing which it means can be missing there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from math import prod
from typing import Literal

from escucha.errors import Invalid
from escucha.query.normal import both, either
from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.query.written import written
from escucha.words import words

Saying = Callable[[str], str | None]
"""How a field is said upstream, from its folded value; None where that value cannot be said."""
Leaf = Phrase | Is | Not
Group = tuple[Leaf, ...]
OPERATORS = frozenset({"and", "or", "not"})
"""Words that an upstream may take for something else; alone they are not asked for."""
MOST_GROUPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an upstream's search understands, as its documents say; words side by side are all wanted there.

    `any_of` is how alternatives are said: "nested" anywhere, in parentheses; in "groups" of words, which bind more
    tightly than what stands beside them; or not at all, so that each takes one of the "searches", of which there are
    at `most` so many. `sign` stands between alternatives, `brackets` around a group, `quotes` around a phrase (None:
    there are none). `excludes`: what follows a - is left out, exactly as here. `parts`: it finds parts of words.

    `terms` (words and phrases) and `longest` (characters) bound a search, `least` is the shortest word. `accents` are
    "folded" as here, "distinct", or nobody says ("unknown"). `says` writes the fields that it knows; of these, those
    in `alone` may be asked for without a word. `own` is what it reads otherwise than we do (a regular expression).

    `tells` are the fields that we learn from it, besides author, type, source and hashtag (site: where not all comes
    from one). `excerpt`: what comes is not the whole text, so that a missing word may well stand in the rest.
    """

    any_of: Literal["nested", "groups", "searches"] = "searches"
    sign: str = " OR "
    brackets: tuple[str, str] = ("(", ")")
    quotes: str | None = '"'
    excludes: bool = False
    parts: bool = False
    terms: int = 50
    longest: int = 400
    least: int = 1
    most: int = 5
    accents: Literal["folded", "distinct", "unknown"] = "unknown"
    says: Mapping[str, Saying] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    tells: frozenset[str] = frozenset()
    excerpt: bool = False
    own: str = r"(?!)"


def translated(
    query: Query, spelled: Mapping[str, tuple[str, ...]], abilities: Abilities, title: str
) -> tuple[str, ...]:
    """The searches that together find all that a query means, and more; `spelled` is how its words are written.

    What the upstream cannot say is left out, as long as something that must occur remains: it is checked here.

    Raises:
        Invalid: what remains would find everything, or too much has to be asked; it says what to change.
    """
    saying = _Saying(abilities, spelled)
    tree = saying.widened(query)
    if tree is None or not saying.anchored(tree):
        raise Invalid(
            "{source} cannot be asked for {part}: it looks for whole words and phrases{least}. Put a word beside it "
            "that must occur, or write out the words that it may be, with OR between them.",
            source=title, part=written(saying.unsaid(query)),
            least=f" (≥ {abilities.least})" if abilities.least > 1 else "",
        )
    if abilities.excerpt and (lost := next(saying.lost(query), None)) is not None:
        raise Invalid(
            "{source} cannot be asked for {part}, and as only titles come from there, it cannot be checked here. Leave "
            "it out.", source=title, part=written(lost),
        )
    if abilities.any_of == "searches":
        return _searches(saying, tree, title)
    lines = _nested_lines(saying, tree) if abilities.any_of == "nested" else _grouped_lines(saying, tree)
    for line in lines:
        if len(line) <= abilities.longest:
            return (line,)
    raise _too_long(abilities, title)


def _too_long(abilities: Abilities, title: str) -> Invalid:
    return Invalid(
        "{source} takes {limit} characters at most, and this query needs more. Shorten it, or make two watches of it.",
        source=title, limit=abilities.longest,
    )


@dataclass(frozen=True, slots=True)
class _Saying:
    """What one upstream can say of one query."""

    abilities: Abilities
    spelled: Mapping[str, tuple[str, ...]]

    def widened(self, query: Query) -> Query | None:
        """The query of what the upstream can say alone, its words spelled as they are asked; None: everything.

        Whatever the query means, this one means too.
        """
        match query:
            case And(parts):
                return self._all(self.widened(part) for part in parts)
            case Or(parts):
                return self._any([self.widened(part) for part in parts])
            case Not(part):
                return self._without(part)
            case Near(left, right):
                return self._all(self._any([self.widened(one) for one in side]) for side in (left, right))
            case Within(several):
                return self._all(self._phrase((word,)) for word in several)
        return self._leaf(query)

    def anchored(self, query: Query) -> bool:
        """Whether it may be asked for by itself: some word must occur in all that it means."""
        match query:
            case And(parts):
                return any(map(self.anchored, parts))
            case Or(parts):
                return all(map(self.anchored, parts))
            case Is(name):
                return name in self.abilities.alone
        return isinstance(query, Phrase)

    def unsaid(self, query: Query) -> Query:
        """The first part that cannot be said, which a message names."""
        if isinstance(query, Or):
            return next((self.unsaid(part) for part in query.parts if not self._sayable(part)), query)
        return query

    def lost(self, query: Query) -> Iterator[Query]:
        """What has to be in the text and cannot be asked for."""
        match query:
            case And(parts) | Or(parts):
                for part in parts:
                    yield from self.lost(part)
            case Not() | Is() | Compare():
                return
            case _ if self.widened(query) is None:
                yield query

    def _sayable(self, query: Query) -> bool:
        tree = self.widened(query)
        return tree is not None and self.anchored(tree)

    def _all(self, parts: Iterable[Query | None]) -> Query | None:
        kept = tuple(dict.fromkeys(part for part in parts if part is not None))
        return both(kept) if kept else None

    def _any(self, parts: list[Query | None]) -> Query | None:
        """Alternatives, each of which has to be sayable: what one of them leaves open, all do."""
        kept = [part for part in parts if part is not None and (isinstance(part, Is) or self.anchored(part))]
        return either(dict.fromkeys(kept)) if kept and len(kept) == len(parts) else None

    def _without(self, query: Query) -> Query | None:
        """What is left out, as far as the upstream leaves out exactly that."""
        match query:
            case Not(part):
                return self.widened(part)
            case Or(parts):
                return self._all(self._without(part) for part in parts)
            case Phrase(several) if self.abilities.excludes and all(map(self._known, several)):
                said = self._phrase(several)
                return Not(said) if isinstance(said, Phrase) else None
        return None

    def _leaf(self, query: Query) -> Query | None:
        match query:
            case Phrase(several):
                return self._phrase(several)
            case Prefix(stem):
                return self._phrase((stem,)) if self.abilities.parts else None
            case Raw(text) | Is("title" | "hashtag", text):
                return self._phrase(words(text))
            case Is(name, value, False) if name in self.abilities.says:
                said = self.abilities.says[name](value)
                return Is(name, said) if said else None
        return None

    def _phrase(self, several: tuple[str, ...]) -> Query | None:
        """Words side by side; where these cannot be asked for as a phrase, those that can, each by itself."""
        spelled = [self._spellings(word) for word in several]
        if len(several) > 1 and (
            self.abilities.quotes is None or not all(map(self._known, several))
            or prod(map(len, spelled)) > self.abilities.most
        ):
            return self._all(self._phrase((word,)) for word in several)
        if not several or (len(several) == 1 and not self._alone(several[0])):
            return None
        return either(Phrase(each) for each in product(*spelled))

    def _spellings(self, word: str) -> tuple[str, ...]:
        written = self.spelled.get(word, (word,))
        if self.abilities.accents == "folded":
            return written[:1]
        return tuple(dict.fromkeys((*written, word))) if self.abilities.accents == "distinct" else written

    def _known(self, word: str) -> bool:
        return word.replace("_", "").isalnum()

    def _alone(self, word: str) -> bool:
        return self._known(word) and len(word) >= self.abilities.least and word not in OPERATORS

    def said(self, leaf: Query) -> str:
        """A word, phrase or field as the upstream writes it."""
        match leaf:
            case Not(part):
                return f"-{self.said(part)}"
            case Is(_, value):
                return value
            case Phrase((word,)):
                return word
            case Phrase(several):
                return f"{self.abilities.quotes}{' '.join(several)}{self.abilities.quotes}"
        raise TypeError(leaf)

    def grouped(self, text: str) -> str:
        """Alternatives, or words that belong together, in the upstream's brackets."""
        opened, closed = self.abilities.brackets
        return f"{opened}{text}{closed}"


def _nested_lines(saying: _Saying, tree: Query) -> Iterable[str]:
    """The whole in one line, and shorter ones that mean more: each lacks the last part that can be missed."""
    while True:
        yield _nested(saying, tree)
        lighter = next((less for less in _lighter(tree) if saying.anchored(less)), None)
        if lighter is None:
            return
        tree = lighter


def _lighter(tree: Query) -> Iterable[Query]:
    if isinstance(tree, And):
        for place in reversed(range(len(tree.parts))):
            yield both(tree.parts[:place] + tree.parts[place + 1 :])


def _nested(saying: _Saying, tree: Query) -> str:
    match tree:
        case And(parts):
            return " ".join(_inner(saying, part) for part in parts)
        case Or(parts):
            return saying.abilities.sign.join(_inner(saying, part) for part in parts)
    return saying.said(tree)


def _inner(saying: _Saying, tree: Query) -> str:
    text = _nested(saying, tree)
    return text if isinstance(tree, Leaf) else saying.grouped(text)


def _grouped_lines(saying: _Saying, tree: Query) -> Iterable[str]:
    """Groups of alternatives, all of which are wanted, in one line; then without one after the other."""
    groups = [group for group in dict.fromkeys(_groups(tree)) if len(group) == 1 or all(map(saying.anchored, group))]
    firm = [group for group in groups if all(map(saying.anchored, group))]
    while firm:
        yield " ".join(_group(saying, group) for group in groups)
        last = next((group for group in reversed(groups) if group not in firm or len(firm) > 1), None)
        if last is None:
            return
        groups.remove(last)
        firm = [group for group in firm if group != last]


def _groups(tree: Query) -> list[Group]:
    """The query as groups of alternatives, each of which has to be met (its conjunctive form), or the first of them."""
    match tree:
        case And(parts):
            return [group for part in parts for group in _groups(part)]
        case Or(parts):
            chosen = islice(product(*map(_groups, parts)), MOST_GROUPS)
            return [tuple(dict.fromkeys(leaf for group in each for leaf in group)) for each in chosen]
    return [(tree,)] if isinstance(tree, Leaf) else []


def _group(saying: _Saying, group: Group) -> str:
    text = saying.abilities.sign.join(map(saying.said, group))
    return saying.grouped(text) if len(group) > 1 else text


def _searches(saying: _Saying, tree: Query, title: str) -> tuple[str, ...]:
    """A search for each alternative; one that finds all that another does stands for both."""
    limit = saying.abilities.most
    found = [_fitting(saying, each) for each in _alternatives(saying, tree)]
    if not all(map(_firm(saying), found)):
        raise _too_long(saying.abilities, title)
    wide = [each for each in found if not any(set(other) < set(each) for other in found)]
    searches = tuple(dict.fromkeys(" ".join(map(saying.said, each)) for each in wide))
    if len(searches) > limit:
        raise Invalid(
            "{source} cannot be asked for alternatives, so each takes a search of its own; this query would take "
            "{searches}, and {limit} are the most. Make two watches of it, or put a word beside them that must occur.",
            source=title, searches=len(searches), limit=limit,
        )
    return searches


def _alternatives(saying: _Saying, tree: Query) -> list[Group]:
    """The query as alternatives, each of which is met by one search (its disjunctive form).

    Where that would be too many, a part that is not needed is left to be checked here.
    """
    match tree:
        case Or(parts):
            return [group for part in parts for group in _alternatives(saying, part)]
        case And(parts):
            told = [_alternatives(saying, part) for part in parts]
            made: list[Group] = [()]
            for groups in sorted(told, key=lambda one: (not all(map(_firm(saying), one)), len(one))):
                if len(made) * len(groups) <= saying.abilities.most or not all(map(_firm(saying), made)):
                    made = [(*before, *group) for before in made for group in groups]
            return made
    return [(tree,)] if isinstance(tree, Leaf) else []


def _firm(saying: _Saying) -> Callable[[Group], bool]:
    return lambda group: any(map(saying.anchored, group))


def _fitting(saying: _Saying, group: Group) -> Group:
    """As much of it as one search takes: the longest words first, in their order; of a field the first value."""
    words_of = [leaf for leaf in dict.fromkeys(group) if isinstance(leaf, Phrase)]
    fields = list({leaf.field: leaf for leaf in reversed(group) if isinstance(leaf, Is)}.values())
    wanted: list[Phrase | Is] = [*sorted(words_of, key=lambda one: -len(saying.said(one))), *fields]
    kept: list[Leaf] = []
    room = saying.abilities.longest
    for leaf in wanted:
        size = len(saying.said(leaf)) + bool(kept)
        if size <= room and (isinstance(leaf, Is) or len(kept) < saying.abilities.terms):
            kept.append(leaf)
            room -= size
    return tuple(leaf for leaf in dict.fromkeys(group) if leaf in kept)


def primary(value: str) -> str | None:
    """The language of a tag such as es-mx, which every upstream knows."""
    found = re.fullmatch(r"([a-z]{2,3})(?:-[a-z0-9]+)*", value)
    return found[1] if found else None
