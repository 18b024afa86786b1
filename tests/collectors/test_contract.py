"""Every built-in source keeps the contract, has its page, and is in the index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest

from collectors import SOURCES, facts, open_source, source_names
from collectors.http import WebOptions
from escucha.errors import NotFound
from tests.collectors.contract import Contract
from tests.collectors.contract import Store as Store  # other tests take it from here
from tests.collectors.fakes import UPSTREAMS

DOCS = Path(__file__).parents[2] / "docs" / "sources"


class TestBuiltIn(Contract):
    upstreams: ClassVar = UPSTREAMS

    @pytest.fixture
    def recordings(self, shared: Path) -> Path:
        return shared / "upstream"

    @pytest.fixture
    def described(self) -> Path:
        return DOCS


def test_every_registered_source_is_under_this_contract() -> None:
    assert set(UPSTREAMS) == set(SOURCES) <= set(source_names())


def test_the_index_names_every_source_in_order_with_its_access() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\S+)\]\((\S+)\) \|.*\| ([^|]+) \|$", index, re.MULTILINE)
    assert [name for name, _, _ in rows] == sorted(SOURCES)
    for name, page, access in rows:
        assert page == f"{name}.md"
        off = ", off until its terms are accepted" if facts(name).terms else ""
        assert access == facts(name).access + off, name


def test_an_unknown_source_names_those_that_exist() -> None:
    with pytest.raises(NotFound, match="mastodon"):
        open_source("myspace", WebOptions(), {})
