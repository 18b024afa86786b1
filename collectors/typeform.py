"""Typeform: what people wrote in a survey, one mention an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.mapping import Cells
from escucha.errors import Invalid

WRITTEN = frozenset({"long_text", "short_text"})
PRIVATE = frozenset({"email", "phone_number", "payment", "file_url"})
"""Kinds of answers that are not kept."""
PROMOTER = frozenset({"opinion_scale", "nps"})
_MAIL = re.compile(r"(?<![^\s@])[^\s@]++@[^\s@.]++\.[^\s@]")
_CONTACT = re.compile(r"mail|correo|phone|tel[eé]?f|whats|m[oó]vil|celular", re.IGNORECASE)

Response = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A written answer with the rating given right before it, or a rating alone. No `answer`: it holds neither."""

    response: Response
    answer: Any = None
    rating: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeformShape:
    """The deliveries of Typeform. `only` names the questions (their reference or id) that are taken; empty: all."""

    only: frozenset[str] = frozenset()
    prefix: str = ""

    def items(self, document: Any) -> Sequence[Said]:
        """The answers of a finished response; one empty item where there are none, or it is not finished."""
        response = document.get("form_response") if isinstance(document, Mapping) else None
        if not isinstance(response, Mapping):
            raise Invalid("This is no delivery of Typeform: it has no form_response. Check what the hook is set to.")
        answers = response.get("answers")
        if document.get("event_type") != "form_response" or not isinstance(answers, list):
            return [Said(response)]
        return list(self._said(response, answers)) or [Said(response)]

    def _said(self, response: Response, answers: Sequence[Any]) -> Iterator[Said]:
        """Each rating goes with the text that follows it ("why?"), or stands alone: none is counted twice."""
        rating = None
        for answer in answers:
            if _kind(answer) == "rating":
                if rating is not None:
                    yield Said(response, None, rating)
                rating = answer
            elif _kind(answer) in (*WRITTEN, None) and self._wanted(answer):
                yield Said(response, answer, rating)
                rating = None
        if rating is not None:
            yield Said(response, None, rating)

    def _wanted(self, answer: Any) -> bool:
        if not self.only or not isinstance(answer, Mapping):
            return True
        return bool(self.only & {str(_field(answer).get("ref")), str(_field(answer).get("id"))})

    def cells(self, item: Said) -> Cells | None:
        """The mention's fields: the question is the title, the token and the question's reference are the id."""
        if item.answer is None and item.rating is None:
            return None
        field = (item.answer or item.rating)["field"]
        told = {
            "source_id": f"{item.response['token']}:{field.get('ref') or field['id']}",
            "title": _question(item.response, field).get("title"),
            "text": item.answer["text"] if item.answer else None,
            "created_at": item.response.get("submitted_at"),
            "kind": "survey",
            "rating": _stars(item.response, item.rating) if item.rating else None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def raw(self, item: Said) -> Any:
        """The response without its definition, addresses and telephone numbers; with the NPS (0 to 10) if asked."""
        response = item.response
        answers = [_bare(answer) for answer in response.get("answers") or () if _kind(answer) not in PRIVATE]
        hidden = response.get("hidden")
        kept = {name: value for name, value in hidden.items() if not _is_contact(name, value)} if isinstance(
            hidden, Mapping) else {}
        definition = response.get("definition")
        form = definition.get("title") if isinstance(definition, Mapping) else None
        told = {name: response.get(name) for name in ("form_id", "token", "submitted_at")}
        return {**told, "form": form, "hidden": kept, "answers": answers, "nps": _nps(response)}


def _field(answer: Any) -> Mapping[str, Any]:
    field = answer.get("field") if isinstance(answer, Mapping) else None
    return field if isinstance(field, Mapping) else {}


def _kind(answer: Any) -> Any:
    """The kind of question answered, None where the answer does not have its form; private answers by their own."""
    told = answer.get("type") if isinstance(answer, Mapping) else None
    return told if told in PRIVATE else _field(answer).get("type")


def _question(response: Response, field: Mapping[str, Any]) -> Mapping[str, Any]:
    definition = response.get("definition")
    fields = definition.get("fields") if isinstance(definition, Mapping) else None
    known = [question for question in fields or () if isinstance(question, Mapping)]
    return next((question for question in known if question.get("id") == field.get("id")), {})


def _steps(response: Response, field: Mapping[str, Any]) -> Any:
    properties = _question(response, field).get("properties")
    return properties.get("steps") if isinstance(properties, Mapping) else None


def _stars(response: Response, answer: Mapping[str, Any]) -> float | None:
    """A rating from 1 to 5: brought to it by the question's steps where they are told; more than 5 is else unknown."""
    number, steps = answer.get("number"), _steps(response, _field(answer)) or 5
    if not isinstance(number, int | float) or not isinstance(steps, int):
        return None
    return max(1.0, number * 5 / steps) if 0 < number <= steps else None


def _nps(response: Response) -> int | None:
    """How likely they are to recommend, 0 to 10, where a question with that scale was asked."""
    for answer in response.get("answers") or ():
        number = answer.get("number") if isinstance(answer, Mapping) else None
        is_asked = _kind(answer) in PROMOTER and _steps(response, _field(answer)) in (None, 11)
        if is_asked and isinstance(number, int) and 0 <= number <= 10:
            return number
    return None


def _bare(answer: Any) -> Any:
    return answer if isinstance(answer, Mapping) else str(answer)


def _is_contact(name: str, value: Any) -> bool:
    return bool(_CONTACT.search(name) or (isinstance(value, str) and _MAIL.search(value)))
