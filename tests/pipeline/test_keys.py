"""A secret goes to the server it was entered for, and no repr or log line shows it."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from collectors import SOURCES, facts
from collectors.http import WebOptions
from escucha.brand import Brand, Query
from escucha.source import Delivery
from nlp.chain import ModelOptions
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.pull import Haul, Order, unknown
from store import brands, credentials
from store.engine import Store
from store.vault import Vault, new_key
from tests import make

NOW, LATER = make.NOW, make.NOW + timedelta(hours=1)
VAULT = Vault(new_key())
HOME, EVIL = "imap.casa.example", "imap.evil.example"


@pytest.fixture
def lumbre(sqlite_store: Store) -> Brand:
    with sqlite_store.write() as session:
        return brands.add(session, make.brand())


def enter(store: Store, brand: int | None, at: object = NOW, source: str = "mailbox", **keys: str) -> None:
    with store.write() as session:
        credentials.put(session, VAULT, source, brand, keys, at)  # type: ignore[arg-type]


def known(store: Store, brand: Brand, source: str = "mailbox", **settled: str) -> dict[str, str]:
    with store.read() as session:
        return keys_for(session, VAULT, {source: settled} if settled else {}, source, brand.id)


def test_the_sources_that_let_a_key_name_their_server_say_so() -> None:
    leading = {name: [one.name for one in facts(name).needs_credentials if one.leads] for name in SOURCES}
    assert {name: found for name, found in leading.items() if found} == {
        "bluesky": ["server"], "discourse": ["server"], "lemmy": ["server"], "mailbox": ["host"],
        "mastodon": ["server"],
    }
    servers = {name for name in SOURCES for one in facts(name).needs_credentials if one.name in ("host", "server")}
    assert servers == {name for name, found in leading.items() if found}


def test_a_secret_is_used_with_the_server_that_came_with_it(sqlite_store: Store, lumbre: Brand) -> None:
    enter(sqlite_store, None, host=HOME, password="clave")
    assert known(sqlite_store, lumbre) == {"host": HOME, "password": "clave"}
    enter(sqlite_store, None, LATER, password="nueva")
    assert known(sqlite_store, lumbre)["password"] == "nueva", "the secret alone may be entered anew"


def test_whoever_names_another_server_does_not_get_the_secret(sqlite_store: Store, lumbre: Brand) -> None:
    enter(sqlite_store, lumbre.id, host=HOME, password="clave")
    enter(sqlite_store, lumbre.id, LATER, host=EVIL)
    assert known(sqlite_store, lumbre) == {"host": EVIL}
    enter(sqlite_store, lumbre.id, LATER, password="clave")
    assert known(sqlite_store, lumbre) == {"host": EVIL, "password": "clave"}


def test_a_brands_own_server_does_not_get_everybodys_secret(sqlite_store: Store, lumbre: Brand) -> None:
    enter(sqlite_store, None, LATER, host=HOME, password="de-todos")
    enter(sqlite_store, lumbre.id, host=EVIL)
    assert known(sqlite_store, lumbre) == {"host": EVIL}
    enter(sqlite_store, lumbre.id, LATER, password="propia")
    assert known(sqlite_store, lumbre) == {"host": EVIL, "password": "propia"}


def test_a_server_for_all_that_changes_does_not_get_a_brands_secret(sqlite_store: Store, lumbre: Brand) -> None:
    enter(sqlite_store, None, host=HOME)
    enter(sqlite_store, lumbre.id, password="propia")
    assert known(sqlite_store, lumbre) == {"host": HOME, "password": "propia"}
    enter(sqlite_store, None, LATER, host=EVIL)
    assert known(sqlite_store, lumbre) == {"host": EVIL}


def test_a_secret_of_the_settings_goes_to_no_server_of_the_page(sqlite_store: Store, lumbre: Brand) -> None:
    enter(sqlite_store, lumbre.id, host=EVIL, user="x")
    assert known(sqlite_store, lumbre, password="de-los-ajustes", user="ana") == {"host": EVIL, "user": "ana"}
    both = known(sqlite_store, lumbre, password="de-los-ajustes", host=HOME)
    assert (both["host"], both["password"]) == (HOME, "de-los-ajustes")


@pytest.mark.parametrize(("source", "secret"), [("bluesky", "app_password"), ("mastodon", "token"), ("lemmy", "token"),
                                                ("discourse", "api_key")])
def test_it_holds_for_every_source_whose_server_is_entered(
    sqlite_store: Store, lumbre: Brand, source: str, secret: str
) -> None:
    enter(sqlite_store, None, source=source, server="casa.example", **{secret: "clave"})
    enter(sqlite_store, lumbre.id, LATER, source=source, server="evil.example")
    assert known(sqlite_store, lumbre, source) == {"server": "evil.example"}


def test_a_source_without_such_a_key_and_one_that_is_not_there_are_as_they_were(
    sqlite_store: Store, lumbre: Brand
) -> None:
    for source in ("youtube", "nobody"):
        enter(sqlite_store, None, source=source, api_key="clave")
        enter(sqlite_store, lumbre.id, LATER, source=source, daily_units="5")
        assert known(sqlite_store, lumbre, source) == {"api_key": "clave", "daily_units": "5"}


def test_what_holds_keys_does_not_print_them(sqlite_store: Store) -> None:
    keys = {"api_key": "clave-secreta"}
    holders = [
        Order(source="x", query=Query(text=""), cursor=None, web=WebOptions(), keys=keys), Haul(renewed=keys),
        Means(store=sqlite_store, pool=Inline(), web=WebOptions(), models=ModelOptions(), keys={"x": keys}),
        Delivery(headers={"authorization": "Bearer clave-secreta"}, body=b"", at=NOW),
    ]
    assert not [holder for holder in holders if "clave-secreta" in repr(holder)]


def test_the_log_of_a_collectors_own_mistake_tells_all_but_the_keys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = 'cla/ve+"x"'

    def fail() -> None:
        address = "https://a.example/?key=cla%2Fve%2B%22x%22"
        raise LookupError(f"404 for {address}, signed {key}")

    with pytest.raises(LookupError) as caught:
        fail()
    said = unknown("foro", caught.value, {"token": key, "region": "us"})
    assert "LookupError: 404 for https://a.example/?key=…, signed …" in caplog.text
    assert "in fail" in caplog.text
    assert str(said).startswith("The collector of foro stopped on something it does not know (LookupError)")
