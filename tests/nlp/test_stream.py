"""Lines come in, answers go out before the input ends, and no line stops the stream."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from escucha.enrichment import Enrichment, Label, Part
from nlp import open_taggers
from nlp.chain import Chain, ModelOptions, Outcome
from nlp.stream import tag_lines
from tests.nlp.fakes import Says, echo


@dataclass
class Arriving:
    """An input whose parts arrive one after another; `read` says how many were asked for."""

    parts: list[bytes]
    read: int = 0

    def read1(self, size: int, /) -> bytes:
        self.read += 1
        return self.parts[self.read - 1] if self.read <= len(self.parts) else b""


@dataclass
class Counting:
    sizes: list[int] = field(default_factory=list)

    def __call__(self, batch: Sequence[Enrichment]) -> list[Outcome]:
        self.sizes.append(len(batch))
        return echo(batch)


def answers(*lines: str | bytes) -> list[dict[str, Any]]:
    raw = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return list(tag_lines(io.BytesIO(raw), echo))


def test_the_first_answer_comes_before_the_second_line_is_read() -> None:
    source = Arriving([b"uno\n", b"dos\n", b"tres"])
    records = tag_lines(source, echo)
    assert next(records)["text"] == "uno"
    assert source.read == 1
    assert [record["text"] for record in records] == ["dos", "tres"]


def test_the_first_answer_comes_while_a_pipe_stays_open() -> None:
    out, into = os.pipe()
    with os.fdopen(out, "rb") as source, os.fdopen(into, "wb", buffering=0) as sink:
        sink.write("El café está frío\n".encode())
        assert next(tag_lines(source, echo))["text"] == "El café está frío"


def test_what_has_arrived_together_is_tagged_together_in_bounded_batches() -> None:
    tag = Counting()
    assert len(list(tag_lines(io.BytesIO(b"hola\n" * 150), tag))) == 150
    assert tag.sizes == [64, 64, 22]


def test_a_letter_cut_in_two_by_the_pipe_arrives_whole() -> None:
    raw = "mañana\n".encode()
    assert next(tag_lines(Arriving([raw[:3], raw[3:]]), echo))["text"] == "mañana"


def test_plain_lines_are_numbered_and_blank_ones_skipped() -> None:
    assert [(r["id"], r["text"]) for r in answers("uno", "", "   ", "cuatro\r")] == [(1, "uno"), (4, "cuatro")]


def test_an_object_keeps_its_id_and_its_title_is_read_too() -> None:
    seen: list[Enrichment] = []

    def tag(batch: Sequence[Enrichment]) -> list[Outcome]:
        seen.extend(batch)
        return echo(batch)

    row = {"id": "a1", "title": "Pésimo", "text": "No vuelvo", "lang": "es"}
    record = next(tag_lines(io.BytesIO(json.dumps(row).encode()), tag))
    assert (record["id"], record["text"]) == ("a1", "No vuelvo")
    assert (seen[0].text, seen[0].declared_lang) == ("Pésimo\nNo vuelvo", "es")


def test_a_record_has_every_kind_of_label() -> None:
    record = answers("hola")[0]
    assert list(record) == ["id", "text", "lang", "sentiment", "stage", "pain", "touchpoint", "emotion", "parts"]
    assert record["sentiment"] == {"label": "neutral", "score": 0.5}


def test_a_record_tells_the_words_of_each_part() -> None:
    def tag(batch: Sequence[Enrichment]) -> list[Outcome]:
        part = Part(start=0, end=4, sentiment=Label("positive", 0.9))
        return [Outcome(enrichment=replace(enrichment, parts=(part,))) for enrichment in batch]

    record = next(tag_lines(io.BytesIO(b'{"title": "Rico", "text": "pero caro"}'), tag))
    positive = {"label": "positive", "score": 0.9}
    assert record["parts"] == [{"text": "Rico", "sentiment": positive, "pain": None, "touchpoint": None}]


@pytest.mark.parametrize(
    "bad", ['{"text": ', '{"id": 7}', '{"text": 3}', '{"text": null}', '{"a":' * 50_000, b'{"a": \xff']
)
def test_a_bad_line_becomes_an_error_and_the_next_goes_on(bad: str | bytes) -> None:
    first, second = answers(bad, "sigue")
    assert set(first) == {"id", "error"}
    assert second["text"] == "sigue"


def test_a_text_that_a_tagger_cannot_read_becomes_an_error() -> None:
    chain = Chain([Says("mood", poison="VENENO")])
    first, second = tag_lines(io.BytesIO(b"VENENO\nbien"), chain)
    assert first == {"id": 1, "error": "mood: ValueError: cannot read this"}
    assert second["sentiment"]["label"] == "neutral"


def test_hostile_lines_are_answered_and_can_be_written_out() -> None:
    chain = open_taggers(ModelOptions())
    lines: list[bytes] = [
        b"\x00nul\x00", b'{"text": "\\ud800 solo", "id": "\\udfff"}', b"\xff\xfe\xfa", b"x" * 1_000_000,
        "😡".encode() * 99, "\u202e\u2028\u0300\u0301".encode(), b'{"text": ""}',
        b'{"text": "' + b"no abre " * 120_000 + b'"}', b'{"text": "hola", "id": {"a": 1}, "title": [1], "lang": 5}',
    ]
    records = list(tag_lines(io.BytesIO(b"\n".join(lines)), chain))
    assert [record["id"] for record in records] == [1, "", 3, 4, 5, 6, 7, 8, 9]
    assert all(record["sentiment"]["label"] for record in records)
    json.dumps(records, ensure_ascii=False, allow_nan=False).encode("utf-8")
