"""Sources that search are asked what they understand; what they find is kept only if the query means it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

import collectors
from collectors.gdelt import GdeltSource
from collectors.hackernews import HackerNewsSource, to_mention
from collectors.x import XSource
from collectors.youtube import YouTubeSource
from escucha.brand import Query
from escucha.errors import Invalid
from escucha.query.match import matches_mention
from escucha.query.parse import parse
from tests.collectors.contract import Contract, Store
from tests.collectors.fakes import CLOCK, SECRET, WEB, wire
from tests.collectors.fakes.gdelt import GdeltUpstream
from tests.collectors.fakes.hackernews import HackerNewsUpstream
from tests.collectors.fakes.x import XUpstream
from tests.collectors.fakes.youtube import YouTubeUpstream
from tests.conftest import ROOT

MIXED = "lumbre (café OR té) -receta"
SAYINGS = ("El café Lumbre", "El té Lumbre", "Otra lumbre", "Receta de café lumbre", "Café y té, sin más")
"""The first two are meant."""


class MixedForum(HackerNewsUpstream):
    """A forum where much else is said between what is meant; it is asked for two alternatives, one after the other."""

    enough = 120

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=MIXED)

    def add(self, count: int, together: bool = False) -> None:
        for number in range(count):
            at = self.moment(together)
            for saying in (SAYINGS[number % 2], SAYINGS[2 + number % 3]):
                self._say(saying, at)

    def _say(self, saying: str, at: datetime) -> None:
        number = str(40_000_000 + self.next_number())
        self.hits.append({"objectID": number, "author": "ana", "created_at_i": int(at.timestamp()), "title": saying,
                          "story_text": f"Dicho {number}", "points": 3, "num_comments": 1, "_tags": ["story"]})
        if matches_mention(parse(MIXED), to_mention(self.hits[-1]), ""):
            self.items.append(number)


class MixedPosts(XUpstream):
    """Posts of two languages, asked for with one expression."""

    enough = 120

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text='(lumbre OR "café frío") lang:es -receta followers:>3k')

    def add(self, count: int, together: bool = False) -> None:
        super().add(count, together)
        for _ in range(count // 10):
            before = list(self.items)
            super().add(2, together)
            self.items[:] = before
            self.posts[-2]["lang"] = "pt"
            self.posts[-1]["text"] = "Receta de café Lumbre"


class MixedPapers(GdeltUpstream):
    """Articles whose titles alone come, asked for with groups of words."""

    enough = 260

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="(lumbre OR brasa) (café OR té) -receta lang:es")

    def add(self, count: int, together: bool = False) -> None:
        for number in range(count):
            super().add(1, together)
            if number % 20 == 0:
                strange = {**self.articles[-1], "title": f"Receta {number}: café Lumbre"}
                self.articles.append({**strange, "url": f"https://recetas.example/{len(self.articles)}"})


class TestSearches(Contract):
    """The promises of every source hold where much of what comes is left out, and where a query takes two searches."""

    upstreams: ClassVar = {"hackernews": MixedForum, "x": MixedPosts, "gdelt": MixedPapers}

    @pytest.fixture
    def described(self) -> Path:
        return ROOT / "docs" / "sources"

    @pytest.fixture
    def recordings(self, shared: Path) -> Path:
        return shared / "upstream"


def test_what_is_kept_is_what_the_query_means_and_the_rest_is_counted(tmp_path: Path) -> None:
    forum = MixedForum(tmp_path)
    forum.add(30)
    pages = list(forum.source().pages(forum.query, None))
    kept = {mention.source_id for page in pages for mention in page.mentions}
    assert kept == set(forum.items)
    asked = sorted({request.url.params["query"] for request in forum.requests})
    assert asked == ["lumbre café", "lumbre té"]
    came = [hit["objectID"] for hit in forum.hits if hit["title"] in SAYINGS[:4] and hit["title"] != SAYINGS[2]]
    assert sum(page.passed for page in pages) == len(set(came) - kept) > 0


def test_a_cursor_moves_on_over_what_is_left_out(tmp_path: Path) -> None:
    forum = MixedForum(tmp_path)
    store = Store()
    forum.add(5)
    store.run(forum)
    for _ in range(150):
        forum._say("Receta de café lumbre", forum.moment())
    store.run(forum)
    known = [walk["known"] for walk in store.cursor["walks"].values()]
    assert max(known) == forum.reached.isoformat()
    assert forum.ids_of(store.mentions) == set(forum.items)


def test_a_video_that_the_query_does_not_mean_is_not_followed_and_comments_are_kept_because_of_theirs(
    tmp_path: Path,
) -> None:
    channel = YouTubeUpstream(tmp_path)
    channel.query = Query(text="lumbre -receta")
    channel.add(20)
    strange = channel.add_video(channel.moment())
    channel.videos[strange]["snippet"] = {**channel.videos[strange]["snippet"], "title": "Receta: café Lumbre"}
    for comment in channel.comments.values():
        comment["snippet"] = {**comment.get("snippet", {}), "textDisplay": "qué rico", "textOriginal": "qué rico"}
    store = Store()
    store.run(channel)
    assert channel.ids_of(store.mentions) == set(channel.items) - {strange}
    followed = {request.url.params.get("videoId") for request in channel.requests}
    assert strange not in followed
    assert len(followed - {None}) == 3


def test_of_an_article_whose_title_alone_comes_a_missing_word_may_stand_in_the_rest() -> None:
    def article(number: int, title: str, **more: str) -> dict[str, str]:
        return {"url": f"https://diario.example/{number}", "title": title, "domain": "diario.example",
                "seendate": "20261122T110000Z", "language": "Spanish", "sourcecountry": "Mexico", **more}

    told = {"articles": [article(1, "Abre la tienda"), article(2, "Receta del día"), article(3, "Café Lumbre"),
                         article(4, "Lumbre en Lima", sourcecountry="Peru")]}
    source = GdeltSource(web=WEB, keys={}, clock=CLOCK,
                         transport=httpx.MockTransport(lambda _: wire(httpx.Response(200, json=told))))
    (page,) = source.pages(Query(text='"cafés lumbre" -receta país:mx'), None)
    assert [mention.title for mention in page.mentions] == ["Abre la tienda", "Café Lumbre"]
    assert page.passed == 2


@pytest.mark.parametrize(
    ("source", "text", "column", "said"),
    [
        ("hackernews", "café AND", 6, "AND needs a word after it"),
        ("hackernews", "lumbre sentimiento:negativo", 8, "sentimiento: is not known yet"),
        ("hackernews", "lumbre -etapa:purchase", 9, "etapa: is not known yet"),
        ("x", "lumbre (punto:delivery OR pain:none)", 9, "punto: is not known yet"),
        ("x", "tag:purchase lumbre", 1, "tag: is not known yet"),
        ("x", "lumbre brand:lumbre", 8, "belongs to one brand"),
        ("bluesky", "lumbre seguidores:>3k", 8, "Bluesky tells seguidores: only afterwards"),
        ("hackernews", "lumbre followers:>3k", 8, "Hacker News does not tell followers:"),
        ("mastodon", "lumbre rating:5@mastodon.example", 8, "Mastodon does not tell rating:"),
        ("threads", "lumbre engagement:>5", 8, "Threads does not tell engagement:"),
        ("reddit", "r/mexico: café lang:es", 16, "Reddit does not tell lang:"),
        ("reddit", "r/mexico: café AND", 16, "AND needs a word"),
        ("stackexchange", "cooking:\n café\n -olla AND", 8, "AND needs a word"),
        ("google-news", "lumbre url:diario @es", 8, "Google News does not tell url:"),
        ("hackernews", "lumbre -site:example.com", 9, "Hacker News does not tell site:"),
        ("x", "native: ", 1, "The query is empty"),
        ("x", "lumbre @cafes", 8, "X (Twitter) reads @cafes in a way of its own"),
        ("x", "lumbre min_faves:10", 8, "reads min_faves:10 in a way of its own"),
        ("gdelt", "lumbre near5:\"a b\"", 8, 'GDELT reads near5:"a b" in a way of its own'),
        ("youtube", "café|té", 5, "YouTube reads | in a way of its own"),
    ],
)  # fmt: skip
def test_what_a_watch_cannot_say_is_refused_where_it_stands(source: str, text: str, column: int, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        collectors.asking(source, text)
    assert said in str(caught.value)
    assert caught.value.details["column"] == column


def test_what_stands_in_quotes_or_in_a_comment_is_no_operator_of_the_source() -> None:
    asking = collectors.asking("x", '"hola @lumbre" <<< @nadie min_faves:3 >>> raw:"near5:x"')
    assert asking is not None
    assert asking.searches == ('"hola lumbre" "near5 x"',)


@pytest.mark.parametrize("text", ["-café", "lumbre OR -café"])
def test_a_watch_that_only_leaves_out_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="only what is not wanted"):
        collectors.asking("hackernews", text)


@pytest.mark.parametrize(
    ("source", "text"),
    [("x", "mentions:@lumbre"), ("youtube", "channel:@lumbre"), ("github", "lumbre/app"), ("threads", "#cafe lumbre"),
     ("threads", "mentions"), ("mastodon", "cafe@mastodon.example"), ("discourse", "@foro.example"),
     ("reddit", "r/mexico comments"), ("rss", "https://diario.example/feed"), ("mailbox", "INBOX")],
)
def test_an_address_or_a_name_is_no_query(source: str, text: str) -> None:
    assert collectors.asking(source, text) is None


@pytest.mark.parametrize(
    ("source", "text", "search"),
    [
        ("x", "native:(lumbre OR @lumbre) min_faves:3", "(lumbre OR @lumbre) min_faves:3"),
        ("reddit", "r/mexico: native:title:lumbre", "r/mexico: title:lumbre"),
        ("lemmy", "native: cafés lumbre@lemmy.example", " cafés lumbre@lemmy.example"),
        ("google-news", "native:when:7d lumbre @es", "when:7d lumbre @es"),
    ],
)
def test_a_native_text_goes_there_as_it_stands_and_is_not_checked(source: str, text: str, search: str) -> None:
    asking = collectors.asking(source, text)
    assert asking is not None
    assert (asking.searches, asking.checked) == ((search,), None)


def test_a_native_text_that_the_source_itself_cannot_read_is_refused() -> None:
    with pytest.raises(Invalid, match="without in:, is: or created:"):
        collectors.asking("github", "native:lumbre is:pr")


@pytest.mark.parametrize(
    ("kind", "text", "search"),
    [
        (XSource, '("cafés lumbre" OR @lumbre) lang:es', '("cafés lumbre" OR @lumbre) lang:es'),
        (XSource, "from:lumbre -is:retweet", "from:lumbre -is:retweet"),
        (YouTubeSource, "cafés|té lumbre", "cafés|té lumbre"),
        (GdeltSource, "lumbre domainis:elpais.com tone<-5", "lumbre domainis:elpais.com tone<-5"),
        (HackerNewsSource, '"lumbre', '"lumbre'),
    ],
)
def test_a_stored_watch_that_is_no_query_of_ours_goes_on_as_it_was(kind: Any, text: str, search: str) -> None:
    asking = kind.asked(text)
    assert (asking.searches, asking.checked) == ((search,), None)


def test_words_of_a_stored_watch_are_all_wanted_as_before(tmp_path: Path) -> None:
    forum = HackerNewsUpstream(tmp_path)
    forum.query = Query(text="café lumbre")
    forum.add(3)
    forum.hits[0] |= {"title": "lumbre", "story_text": "y nada más"}
    (page,) = forum.source().pages(forum.query, None)
    assert forum.ids_of(page.mentions) == set(forum.items[1:])
    assert forum.requests[0].url.params["query"] == "café lumbre"


def test_an_account_that_owns_the_app_is_read_by_name_and_nothing_is_checked(tmp_path: Path) -> None:
    posts = XUpstream(tmp_path)
    posts.query = Query(text="mentions:@lumbre")
    posts.keys = {"bearer_token": SECRET}
    posts.add(3)
    (page,) = posts.source().pages(posts.query, None)
    assert len(page.mentions) == 3
