"""Random queries and mentions that they may mean, from one small vocabulary."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from escucha.enrichment import SENTIMENTS, TaggedMention
from escucha.mention import KINDS, Author, Engagement, Mention
from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.words import words
from tests.make import mention, understood

SAID = ("café", "cafetera", "CAFÉ", "frío", "frio", "año", "ano", "años", "wi-fi", "C++", "#Café", "☕", "no", "y",
        "or", "near", "rico", "RICO", "$5", "«ya»", "ﬁn", "naïve", "@ana", "100%")  # fmt: skip
WORDS = tuple(dict.fromkeys(word for said in SAID for word in words(said)))
STEMS = ("caf", "cafe", "año", "fri", "ric", "nea")
HOSTS = ("example.com", "blog.example.com", "notexample.com", "ejemplo.mx")
HANDLES = ("@Ana", "ana@social.invalid", "José", "bot_5")

word = st.sampled_from(WORDS)
phrase = st.lists(word, min_size=1, max_size=3).map(lambda found: Phrase(tuple(found)))
prefix = st.sampled_from(STEMS).map(Prefix)
within = st.builds(
    Within, st.lists(word, min_size=2, max_size=4, unique=True).map(tuple), st.integers(0, 5)
)
side = st.lists(phrase | prefix, min_size=1, max_size=3).map(tuple)
near = st.builds(Near, side, side, st.integers(0, 5), st.booleans())
raw = st.sampled_from((*SAID, "Café", "C++ ", "\\", '"', 'di "ya"', "fi", "é f", "wi-")).map(Raw)


def _is(field: str, *values: str) -> st.SearchStrategy[Is]:
    return st.sampled_from(values).map(lambda value: Is(field, value))  # type: ignore[arg-type]


field = st.one_of(
    _is("author", "ana", "ana@social.invalid", "jose", "7", "ana lopez", "bot*"),
    st.sampled_from(("ana", "bot_", "jos")).map(lambda value: Is("author", value, prefix=True)),
    _is("site", "example.com", "blog.example.com", "mx"), _is("url", "example", "/post/1", "?q=a(b)"),
    _is("lang", "es", "en", "es-mx"), _is("country", "mx", "mexico", "españa"), _is("source", "mastodon", "rss"),
    _is("type", *KINDS), _is("title", "cafe", "cafe frio", "año"), _is("hashtag", "cafe", "año"),
    _is("sentiment", *SENTIMENTS, "none"), _is("stage", "purchase", "none"), _is("pain", "problem", "none"),
    _is("touchpoint", "delivery", "none"), _is("tag", "purchase", "negative", "none"), _is("brand", "lumbre", "otra"),
    st.builds(
        Compare, st.sampled_from(("followers", "engagement", "rating")), st.sampled_from(("=", ">", ">=", "<", "<=")),
        st.sampled_from((0.0, 1.0, 2.5, 3.125, 4.0, 50.0, 3200.0)),
    ),
)
leaf = st.one_of(phrase, prefix, within, near, raw, field)


def _grown(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(inner, min_size=1, max_size=3)
    return several.map(lambda parts: And(tuple(parts))) | several.map(lambda parts: Or(tuple(parts))) | inner.map(Not)


trees = st.recursive(leaf, _grown, max_leaves=8)
"""Queries of every kind, not always in normal form, never with an empty And or Or."""

text = st.lists(st.sampled_from(SAID) | word, max_size=8).map(" ".join)
authors = st.none() | st.builds(
    Author, id=st.sampled_from(("7", "ana")), handle=st.sampled_from(HANDLES),
    followers=st.sampled_from((None, 0, 3200)),
)
mentions = st.builds(
    lambda changes, kind: replace(mention(), kind=kind, **changes),
    st.fixed_dictionaries({
        "text": text, "title": st.none() | text, "author": authors, "place": st.sampled_from((None, "MX", "México")),
        "url": st.none() | st.sampled_from(HOSTS).map(lambda host: f"https://u@{host}:80/post/1?q=a(b)"),
        "lang": st.sampled_from((None, "es-MX", "en")), "rating": st.sampled_from((None, 1.0, 2.5, 4.0)),
        "engagement": st.builds(Engagement, likes=st.sampled_from((None, 0, 50))),
    }),
    st.sampled_from(KINDS),
)


def tagged(said: Mention, **labels: str) -> TaggedMention:
    return TaggedMention(id=1, brand="lumbre", mention=said, enrichment=understood(said.text, **labels), state="done")


items = st.builds(
    tagged, mentions, sentiment=st.sampled_from(SENTIMENTS), stage=st.sampled_from(("purchase", "none")),
    lang=st.sampled_from(("es", "en", "und")),
)

