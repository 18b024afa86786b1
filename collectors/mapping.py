"""Which part of a delivery is what: field names of our own, or the places that a user names in any JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from escucha.errors import Invalid, Refused, Unreadable

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathEnvironment
    from jsonpath.filter import BaseExpression

Cells = Mapping[str, Any]
"""The fields of an item by name, those that it has."""

FIELDS = (
    "source_id", "text", "title", "created_at", "edited_at", "kind", "lang", "url", "rating", "parent_id", "place",
    "deleted", "author.id", "author.handle", "author.name", "author.url", "author.followers", "author.verified",
    "engagement.likes", "engagement.comments", "engagement.shares", "engagement.views",
)  # fmt: skip
LONGEST_PATH = 200
"""Characters of a JSONPath."""
EXAMPLE = '{"items": "$.data[*]", "source_id": "$.id", "text": "$.body", "created_at": "$.ts"}'


class Shape(Protocol):
    """How deliveries of one hook are made; a prefix keeps its items' ids apart from another hook's."""

    @property
    def prefix(self) -> str:
        """What goes before an item's id; empty where nothing does."""
        ...

    def items(self, document: Any) -> Sequence[Any]:
        """The items in a delivery. Raises Invalid where it has another form."""
        ...

    def cells(self, item: Any) -> Cells | None:
        """The fields of an item; None where it is left out on purpose."""
        ...

    def raw(self, item: Any) -> Any:
        """What is kept of an item as it came."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnShape:
    """Our own: an object, a list of them or `{"mentions": […]}`, with the field names of a mention."""

    prefix: str = ""

    def items(self, document: Any) -> Sequence[Any]:
        """See Shape."""
        listed = document.get("mentions") if isinstance(document, Mapping) else document
        if isinstance(listed, list):
            return listed
        if isinstance(document, Mapping) and listed is None:
            return [document]
        raise Invalid("The delivery holds no mentions. Send an object, a list of objects, or {example}.",
                      example='{"mentions": […]}')

    def cells(self, item: Any) -> Cells:
        """See Shape. Names with a point may be nested or not; a bare `author` is a name."""
        fields = object_in(item)
        found = {name: _nested(fields, name) for name in FIELDS}
        if isinstance(fields.get("author"), str):
            found["author.name"] = fields["author"]
        return {name: value for name, value in found.items() if value is not None}

    def raw(self, item: Any) -> Any:
        """See Shape."""
        return item


def _nested(fields: Mapping[str, Any], name: str) -> Any:
    if name in fields:
        return fields[name]
    outer, _, inner = name.partition(".")
    within = fields.get(outer) if inner else None
    return within.get(inner) if isinstance(within, Mapping) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedShape:
    """Any JSON, by a mapping: where the items are, and where in an item each field is, or what it always is.

    `scale` is the best rating there is.
    """

    places: Mapping[str, JSONPath]
    constants: Mapping[str, str]
    listed: JSONPath | None = None
    prefix: str = ""
    scale: float = 5.0

    def items(self, document: Any) -> Sequence[Any]:
        """See Shape."""
        if self.listed is None:
            return document if isinstance(document, list) else [document]
        found = self.listed.findall(document)
        if not found:
            raise Invalid("The delivery holds nothing at {place}, where the hook's mapping looks for items. Correct "
                          "the mapping, or what is sent.", place=str(self.listed))
        return found

    def cells(self, item: Any) -> Cells:
        """See Shape. A text found in several places is joined by lines; of another field the first counts."""
        fields = object_in(item)
        found = {name: [v for v in place.findall(fields) if v is not None] for name, place in self.places.items()}
        cells = {**self.constants, **{name: _one(name, values) for name, values in found.items() if values}}
        rating = cells.get("rating")
        if isinstance(rating, int | float) and not isinstance(rating, bool) and self.scale != 5:
            cells["rating"] = rating * 5 / self.scale
        return cells

    def raw(self, item: Any) -> Any:
        """See Shape."""
        return item


def _one(name: str, values: Sequence[Any]) -> Any:
    if name == "text" and len(values) > 1:
        return "\n".join(value for value in values if isinstance(value, str))
    return values[0]


def object_in(item: Any) -> Mapping[str, Any]:
    """The item as an object. Raises Unreadable where it is none."""
    if not isinstance(item, Mapping):
        raise Unreadable("The item is no object with fields. Send it as {example}.", example='{"text": "…"}')
    return item


def read_mapping(text: str) -> MappedShape:
    """The mapping that a user wrote as JSON.

    Raises:
        Refused: it is no JSON object, names unknown fields, or a place is no JSONPath that we follow.
    """
    try:
        wish = json.loads(text)
    except (ValueError, RecursionError):
        wish = None
    if not isinstance(wish, dict):
        raise Refused("The mapping is no JSON object. Write it like this: {example}", example=EXAMPLE)
    settings = {name: wish.pop(name, None) for name in ("items", "name", "scale")}
    unknown = [name for name in wish if name not in FIELDS]
    if unknown:
        raise Refused("There is no field {field} to map to. Choose among: {fields}.", field=unknown[0][:60],
                      fields=", ".join((*settings, *FIELDS)))
    if not {"text", "title", "rating"} & wish.keys():
        raise Refused("The mapping leads to no text. Add where it is, like this: {example}", example=EXAMPLE)
    return MappedShape(
        places={name: _place(value) for name, value in wish.items() if _is_place(value)},
        constants={name: str(value) for name, value in wish.items() if not _is_place(value)},
        listed=_place(settings["items"]) if settings["items"] else None,
        prefix=str(settings["name"] or ""),
        scale=_scale(settings["scale"]),
    )


def _scale(value: Any) -> float:
    if value is None:
        return 5.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 < value <= 1000:
        raise Refused("The scale of the ratings has to be a number, the best rating there is, such as 10.")
    return float(value)


def _is_place(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _place(value: Any) -> JSONPath:
    """A compiled JSONPath (RFC 9535) of those that take no longer than the document is large."""
    from jsonpath import JSONPath
    from jsonpath.exceptions import JSONPathError

    place = str(value)
    try:
        path = _environment().compile(place) if len(place) <= LONGEST_PATH else None
    except (JSONPathError, RecursionError):
        path = None
    if not isinstance(path, JSONPath) or not _is_bounded(path):
        raise Refused(
            "{place} is no place that we can follow. Write a JSONPath from $ with names, positions, [*] and plain "
            "filters, such as $.user.name or $.answers[?@.type=='text'].text, without .. and functions.",
            place=place[:LONGEST_PATH],
        )
    return path


@cache
def _environment() -> JSONPathEnvironment:
    from jsonpath import JSONPathEnvironment

    environment = JSONPathEnvironment(strict=True)
    environment.function_extensions.clear()  # regular expressions and counts can take without end
    return environment


def _is_bounded(path: JSONPath) -> bool:
    """Whether each step picks one way on, so that no node is visited twice, and filters look at single values."""
    from jsonpath.segments import JSONPathChildSegment
    from jsonpath.selectors import Filter

    steps = [(type(segment), segment.selectors) for segment in path.segments]
    if any(kind is not JSONPathChildSegment or len(selectors) != 1 for kind, selectors in steps):
        return False
    filters = [selectors[0].expression for _, selectors in steps if isinstance(selectors[0], Filter)]
    return all(_looks_at_one(part) for filter in filters for part in _parts(filter))


def _parts(expression: BaseExpression) -> Iterator[BaseExpression]:
    yield expression
    for child in expression.children():
        yield from _parts(child)


def _looks_at_one(part: BaseExpression) -> bool:
    from jsonpath.filter import FilterQuery, RelativeFilterQuery

    return not isinstance(part, FilterQuery) or (isinstance(part, RelativeFilterQuery) and part.path.singular_query())
