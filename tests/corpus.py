"""Small made-up corpora with everything that makes searching hard, and both stores filled with the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from hypothesis import strategies as st
from sqlalchemy import select

from escucha.enrichment import SENTIMENTS, TaggedMention
from escucha.mention import KINDS, Author, Engagement, Mention
from escucha.query.match import matcher
from escucha.query.reading import Reading
from escucha.query.tree import Is, Query, Raw
from escucha.text import fold
from escucha.words import words
from store import brands, enrichments, found, mentions
from store.engine import Store
from store.search import condition
from store.tables import MentionRow
from tests import make
from tests.escucha.queries import SAID, WORDS, leaf, trees

HARD = ("AÑO", "n\u0303andu\u0301", "straße", "STRASSE", "™", "ℌ", "👍🏽", "👨‍👩‍👧", "日本語", "_x_", "a" * 120, "it's",
        'di "ya"', "a\\b", "%", "NEAR(", "*", "#año", "#1", "ΣΟΦΟΣ", "İstanbul", "“y”", "é", "e\u0301")  # fmt: skip
INJECTIONS = ("' OR 1=1 --", '" OR words : *', "x') ; DROP TABLE mention; --", "NEAR(", "%", "_", "\\", "[",
              "{words} : café", "& | ! <->", "'café':*", "$1", "a\0b", "\ud83d", "(?i)", "é\u200b")  # fmt: skip
URLS = (None, "https://u@example.com:80/post/1?q=a(b)", "http://Blog.Example.com", "https://notexample.com#example.com",
        "https://ana:x@mx/", "HTTPS://EJEMPLO.MX/Café?x=@example.com", "mailto:ana@example.com",
        "https://cafétería.example.com/", "//example.com/x", "http://example.com:@mx", "nota bene")  # fmt: skip
HANDLES = ("@Ana", "ana@social.invalid", "José", "bot_5", "@@doble", "ÑANDÚ", "Straße  7", "%", "ＡＮＡ", "")

hostile = st.sampled_from(INJECTIONS)
queries = trees | leaf | hostile.map(Raw) | st.builds(
    Is, st.sampled_from(("author", "url", "site", "country", "title", "hashtag", "tag", "brand", "lang", "source")),
    st.one_of(hostile, st.sampled_from(HARD)).map(fold).filter(bool),
).filter(lambda asked: asked.field != "title" or bool(words(asked.value)))  # fmt: skip
"""Queries of every kind, and values that try to be more than values."""


def corpus(n: int, seed: int) -> list[Mention]:
    """`n` different mentions, with little to tell them apart."""
    dice = Random(seed)
    return [_mention(dice, str(number)) for number in range(n)]


def filled(store: Store, said: Sequence[Mention], seed: int) -> None:
    """Save them for two brands, half of them with labels."""
    dice = Random(seed)
    with store.write() as session:
        for place, slug in enumerate(("lumbre", "otra")):
            mentions.save(session, brands.add(session, make.brand(slug)), said[place::2], make.NOW)
        claimed = enrichments.claim(session, len(said) // 2, make.NOW)
        tagged = [(one, make.understood(
            one.enrichment.text, sentiment=dice.choice(SENTIMENTS), stage=dice.choice(("purchase", "none")),
            lang=dice.choice(("es", "en", "und", "es-mx")), pain=dice.choice(("problem", "none")),
        )) for one in claimed]
        enrichments.save(session, tagged, make.NOW)


@dataclass(frozen=True)
class Asked:
    """What a store holds, and which of it a query finds there."""

    store: Store

    def everything(self) -> list[TaggedMention]:
        with self.store.read() as session:
            return list(found.loaded(session, list(session.scalars(select(MentionRow.id)))))

    def ids(self, query: Query) -> set[int]:
        with self.store.read() as session:
            meant = condition(self.store.dialect, query)
            return set(session.scalars(select(MentionRow.id).where(meant)))


def meant(query: Query, readings: Sequence[tuple[int, Reading]]) -> set[int]:
    """What the matcher finds, asked of each mention by itself."""
    one = matcher(query)
    return {id for id, reading in readings if one(reading)}


def _text(dice: Random) -> str:
    between = (" ", " ", " ", ", ", "-", "\n", "—", "/")
    return "".join(
        dice.choice(dice.choice((SAID, WORDS, HARD))) + dice.choice(between) for _ in range(dice.randint(0, 9))
    ).strip()


def _mention(dice: Random, number: str) -> Mention:
    writer = Author(id=dice.choice(("7", "ana", "É")), handle=dice.choice(HANDLES),
                    followers=dice.choice((None, 0, 1, 3200)))
    counts = (None, None, 0, 1, 50, -3)
    return replace(
        make.mention(number, _text(dice)), title=dice.choice((None, _text(dice))), kind=dice.choice(KINDS),
        source=dice.choice(("mastodon", "rss")), author=dice.choice((None, writer)), url=dice.choice(URLS),
        place=dice.choice((None, "MX", "México", "España")), lang=dice.choice((None, "es-mx", "en", "ES")),
        rating=dice.choice((None, 1.0, 2.5, 4.0)), created_at=make.NOW - timedelta(minutes=dice.randrange(5_000)),
        engagement=Engagement(likes=dice.choice(counts), comments=dice.choice(counts), views=dice.choice(counts)),
    )
