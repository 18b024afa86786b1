"""The sample is whole, varied and believable, and goes as it came."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import timedelta

import pytest

from config.catalogue import HERE, read_catalogue
from escucha.enrichment import SENTIMENTS
from escucha.errors import Conflict
from escucha.filter import MentionFilter
from escucha.text import fold
from pipeline import sample
from store import brands, metrics
from store.engine import Store
from store.tables import AuthorRow, MentionRow
from tests import make

FOLDER = HERE / "sample"
LINES = list(sample.read(FOLDER))
OWN = [line for line in LINES if line["brand"] == "cafes-lumbre"]


def test_it_loads_once_and_goes_wholly(store: Store) -> None:
    assert sample.load(store, FOLDER, make.NOW) == len(LINES)
    with store.read() as session:
        assert metrics.count(session, MentionFilter()) == len(LINES)
        assert metrics.count(session, MentionFilter(brand="cafes-lumbre")) == len(OWN)
        assert all(brand.sample for brand in brands.all_brands(session))
    with pytest.raises(Conflict):
        sample.load(store, FOLDER, make.NOW)
    assert sample.remove(store) == len(LINES)
    with store.read() as session:
        assert metrics.count(session, MentionFilter()) == 0
        assert brands.all_brands(session) == []


def test_all_of_it_lies_in_the_last_120_days(sqlite_store: Store) -> None:
    sample.load(sqlite_store, FOLDER, make.NOW)
    with sqlite_store.read() as session:
        inside = MentionFilter(since=make.NOW - timedelta(days=122), until=make.NOW)
        assert metrics.count(session, inside) == len(LINES)
        assert session.query(AuthorRow).filter(AuthorRow.followers > 1000).count() > 20
        assert session.query(MentionRow).filter(MentionRow.author_id.is_not(None)).count() > 400


def test_it_has_about_600_mentions_of_three_brands() -> None:
    assert 550 <= len(LINES) <= 700
    assert Counter(line["brand"] for line in LINES).keys() == {"cafes-lumbre", "tostadora-nebula", "cafe-andariego"}


def test_every_label_of_the_taxonomies_occurs_and_no_other() -> None:
    catalogue = read_catalogue()
    for field, entries in (
        ("stage", catalogue.stages), ("pain", catalogue.pains), ("touchpoint", catalogue.touchpoints)
    ):
        assert {line[field] for line in LINES} == {entry.key for entry in entries} | {"none"}
        assert min(Counter(line[field] for line in LINES).values()) >= 5
    assert {line["sentiment"] for line in LINES} == set(SENTIMENTS)


def test_it_speaks_the_markets_languages() -> None:
    countries = Counter(line["country"] for line in LINES)
    assert min(countries[country] for country in ("MX", "ES", "AR", "CO")) >= 60
    assert countries["BR"] >= 10
    assert len({line["source"] for line in LINES}) >= 5


def test_authors_return_at_later_stages() -> None:
    stages = defaultdict(set)
    for line in LINES:
        if line["author"]:
            stages[line["source"], line["author"]["id"]].add(line["stage"])
    assert sum(len(seen) >= 2 for seen in stages.values()) >= 25


def test_the_crisis_is_a_spike() -> None:
    by_day = Counter(int(line["days_ago"]) for line in OWN)
    crisis = sum(by_day[day] for day in (34, 35, 36, 37)) / 4
    usual = sum(n for day, n in by_day.items() if day not in (34, 35, 36, 37)) / 116
    assert crisis > 2 * usual


def test_no_two_texts_are_alike_but_for_the_planted_near_duplicates() -> None:
    texts = [fold(line["text"]) for line in LINES]
    assert len(set(texts)) == len(texts)
    openings = Counter(" ".join(text.split()[:4]) for text in texts)
    assert openings.most_common(1)[0][1] <= 4, "a template would repeat its opening"
    assert sum(line["note"] == "near-duplicate" for line in LINES) >= 8
    assert sum(line["note"] == "spam" for line in LINES) >= 8


def test_the_files_can_be_read_line_by_line() -> None:
    for path in FOLDER.glob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            assert set(json.loads(line)) >= {"brand", "source", "id", "kind", "days_ago", "text", "sentiment", "stage"}
