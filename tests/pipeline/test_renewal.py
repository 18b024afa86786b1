"""Keys that end by themselves are exchanged in good time, and kept encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.http import WebOptions
from nlp.chain import ModelOptions
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.renewal import renew_due
from store import credentials
from store.engine import Store
from store.vault import Vault, new_key
from tests import make
from tests.collectors.fakes import SECRET
from tests.collectors.fakes.threads import ThreadsUpstream

LONG_AGO = make.NOW - timedelta(days=51)


@pytest.fixture
def threads(tmp_path: Path) -> ThreadsUpstream:
    return ThreadsUpstream(tmp_path)


@pytest.fixture
def means(store: Store, threads: ThreadsUpstream) -> Iterator[Means]:
    with threads.on_loopback() as address:
        web = WebOptions(allow_hosts=(address.removeprefix("http://"),), pace=0)
        yield Means(store=store, pool=Inline(), web=web, models=ModelOptions(), vault=Vault(new_key()),
                    keys={"threads": {"base_url": address}})


def entered(means: Means, at: object) -> None:
    assert means.vault is not None
    with means.store.write() as session:
        credentials.put(session, means.vault, "threads", None, {"access_token": SECRET}, at)  # type: ignore[arg-type]


def kept(means: Means) -> str:
    assert means.vault is not None
    with means.store.read() as session:
        return credentials.keys_of(session, means.vault, "threads", None)["access_token"]


def test_an_old_key_is_exchanged_once(means: Means) -> None:
    entered(means, LONG_AGO)
    assert renew_due(means, make.NOW) == 1
    assert kept(means) == f"{SECRET}-2"
    assert renew_due(means, make.NOW) == 0


def test_a_key_that_is_fresh_is_left_alone(means: Means, threads: ThreadsUpstream) -> None:
    entered(means, make.NOW - timedelta(days=3))
    assert renew_due(means, make.NOW) == 0
    assert threads.requests == []


def test_a_renewal_that_fails_keeps_the_key_and_does_not_print_it(
    means: Means, threads: ThreadsUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    entered(means, LONG_AGO)
    threads.failure = (401, {})
    assert renew_due(means, make.NOW) == 0
    assert kept(means) == SECRET
    assert "could not be renewed" in caplog.text
    assert SECRET not in caplog.text
