"""Who spoke of a brand is counted from the roll-up, and unknown followings are not small ones."""

from __future__ import annotations

from datetime import UTC, date, datetime

from escucha.mention import Author, Engagement
from store import brands, enrichments, mentions
from store.engine import Store
from store.speakers import speakers
from tests import make

MARCH = datetime(2026, 3, 15, tzinfo=UTC)


def test_the_most_positive_of_a_following_come_first(store: Store) -> None:
    people = [Author(id=name, handle=f"@{name}", followers=n) for name, n in
              (("ana", 4_000), ("beto", 5_000), ("famosa", 900_000), ("callado", None))]
    with store.write() as session:
        lumbre, other = brands.add(session, make.brand()), brands.add(session, make.brand("otra"))
        said = [make.mention(f"{person.id}{n}", author=person, created_at=MARCH, engagement=Engagement(likes=n))
                for person in people for n in range(3)]
        old = make.mention("vieja", author=people[0], created_at=datetime(2025, 1, 1, tzinfo=UTC))
        mentions.save(session, lumbre, [*said, old], make.NOW)
        mentions.save(session, other, said[:3], make.NOW)
        claimed = enrichments.claim(session, 100, make.NOW)
        labels = [make.understood(sentiment="positive" if one.id in (4, 5) else "negative") for one in claimed]
        enrichments.save(session, list(zip(claimed, labels, strict=True)), make.NOW)
        found = speakers(session, lumbre, date(2026, 3, 10), date(2026, 3, 20), (3_000, 10_000))
    assert [(one.author.id, one.n, one.positive, one.negative, one.engagement) for one in found] == [
        ("beto", 3, 2, 1, 3), ("ana", 3, 0, 3, 3),
    ]
