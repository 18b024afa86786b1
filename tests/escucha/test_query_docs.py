"""docs/query-language.md says all of the language, and every example in it is read as it says."""

from __future__ import annotations

import re

import pytest

from escucha.errors import Invalid
from escucha.query import parse as reading
from escucha.query.complaints import MOST_TERMS
from escucha.query.fields import SHORTEST
from escucha.query.match import matches_mention
from escucha.query.names import FIELDS, NAMES, SENTIMENT_NAMES, SPANISH, TYPE_NAMES
from escucha.query.parse import parse
from escucha.text import fold
from store.preview import COUNTED, NEWEST, SECONDS, SHOWN
from tests.conftest import ROOT
from tests.make import mention

PAGE = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```query\n(.*?)```", PAGE, re.DOTALL)
WRONG = [line for block in re.findall(r"```wrong\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
TABLED = [code for row in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE) for code in re.findall(r"`([^`]+)`", row)]
EXAMPLES = [code for code in TABLED if not code.endswith(":") and code not in ("*", "none", "ana*")]


@pytest.mark.parametrize("example", [*EXAMPLES, *BLOCKS, *(line for block in BLOCKS for line in block.splitlines()
                                                            if not line.startswith("<<<"))])  # fmt: skip
def test_an_example_can_be_read(example: str) -> None:
    parse(example)


@pytest.mark.parametrize("example", WRONG)
def test_an_example_of_what_cannot_be_read_is_refused_with_its_place(example: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(example)
    assert caught.value.details["column"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_its_line_with_its_spanish_name_and_an_example(field: str) -> None:
    line = next(row for row in PAGE.splitlines() if row.startswith(f"| `{field}:`"))
    _, _, spanish, _, example, _ = line.split("|")
    names = [fold(name) for name in re.findall(r"`([^`]+):`", spanish)]
    assert names == [alias for alias, known in SPANISH.items() if known == field]
    assert any(NAMES.get(fold(name)) == field for name in re.findall(r"([^\W\d_]+):", example))


@pytest.mark.parametrize("value", sorted({*SENTIMENT_NAMES.values(), *TYPE_NAMES.values()} - {"none"}))
def test_every_value_is_named(value: str) -> None:
    assert value in PAGE


def test_the_limits_are_those_that_hold() -> None:
    limits = PAGE.split("## Limits")[1].split("##")[0]
    held = (reading.LONGEST, reading.DEEPEST, reading.FARTHEST, reading.MOST_PAIRS, reading.MOST_WITHIN, MOST_TERMS)
    assert all(re.search(rf"\b{limit}\b", limits) for limit in held)
    assert f"at least {SHORTEST} letters" in PAGE
    preview = PAGE.split("/queries/preview")[1]
    for number in (SHOWN, COUNTED, f"{SECONDS:g}", NEWEST):
        assert re.search(rf"\b{number}\b", preview)


@pytest.mark.parametrize(
    ("query", "text", "meant"),
    [
        ("café NEAR/2 frío", "el café llegó muy frío", True), ("café NEAR/1 frío", "el café llegó muy frío", False),
        ('raw:"RICO"', "RICO", True), ('raw:"RICO"', "RICOS", False), ("año", "ano", False), ("cafe", "CAFÉ", True),
        ("a OR b c", "a", True), ("a OR b c", "b", False),
    ],
)
def test_what_the_page_says_of_a_text_is_so(query: str, text: str, meant: bool) -> None:
    assert query.split("/")[0] in PAGE
    assert matches_mention(parse(query), mention(text=text), "lumbre") is meant
