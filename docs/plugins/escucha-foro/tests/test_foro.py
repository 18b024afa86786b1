"""foro keeps the contract of every source; and what is its own: shut doors, deleted accounts, wrong addresses."""
# ruff: noqa: S101 (a test asserts)

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from foro_upstream import ForoUpstream, recorded

from escucha.errors import Refused
from tests.collectors.contract import Contract, Store


class TestForo(Contract):
    upstreams: ClassVar = {"foro": ForoUpstream}


def test_a_forum_that_shuts_its_doors_deletes_nothing(tmp_path: Path) -> None:
    forum, store = ForoUpstream(tmp_path), Store()
    forum.add(3)
    store.run(forum)
    forum.shut = True
    assert forum.source().recheck(store.mentions[:1]).gone == frozenset()
    assert next(forum.source().pages(forum.query, store.cursor)).doubt is not None


def test_the_first_post_bears_the_title_and_a_deleted_account_no_name() -> None:
    first, answer, orphan = recorded(Path(__file__).parent / "recorded").mentions
    assert (first.kind, first.title) == ("post", "¿Dónde compran café de grano?")
    assert first.author is not None
    assert (first.author.handle, first.author.name, first.author.followers) == ("mila", "Mila R.", None)
    assert (answer.kind, answer.title, answer.url) == ("comment", None, "https://foro.example.com/d/12/2")
    assert answer.text == "En Lumbre, pero el envío tardó\ntres semanas & llegó abierto."
    assert orphan.author is None


def test_what_is_no_address_is_refused_with_an_example(tmp_path: Path) -> None:
    forum = ForoUpstream(tmp_path)
    forum.query = replace(forum.query, text="foro de café")
    with pytest.raises(Refused, match="no forum's address"):
        Store().run(forum)
