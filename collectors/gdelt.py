"""GDELT: press articles of the last three months, from news sites of the whole world, that name the words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from collectors.http import Answer
from collectors.online import list_of, moments_of
from collectors.plain import plain
from collectors.searching import Searching
from collectors.translate import Abilities, primary
from collectors.verdict import retry_after
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.query.countries import called
from escucha.source import Cursor, Page, SourceFacts, Span

LIMIT = 250
FULL = 240
"""Articles from which on an answer may have been cut at the limit."""
WINDOW = timedelta(days=90)
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=3), window=WINDOW)
SHORTEST = timedelta(hours=2)
"""GDELT refuses to search a shorter time than about an hour."""
SECOND = timedelta(seconds=1)
PACE = 5.1
"""Seconds between two requests: GDELT wants five."""
PATIENCE = 60.0
"""Seconds to wait where GDELT asks for patience without saying for how long."""
MOMENT, BELOW = "moment", "below"
"""The marks by which a moment with more articles than an answer holds is passed: its other end, then what is older."""

LANGUAGES = {
    "afrikaans": "af", "albanian": "sq", "arabic": "ar", "armenian": "hy", "azerbaijani": "az", "basque": "eu",
    "belarusian": "be", "bengali": "bn", "bosnian": "bs", "bulgarian": "bg", "catalan": "ca", "chinese": "zh",
    "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi",
    "french": "fr", "galician": "gl", "georgian": "ka", "german": "de", "greek": "el", "gujarati": "gu", "hebrew": "he",
    "hindi": "hi", "hungarian": "hu", "icelandic": "is", "indonesian": "id", "italian": "it", "japanese": "ja",
    "kannada": "kn", "korean": "ko", "latvian": "lv", "lithuanian": "lt", "macedonian": "mk", "malay": "ms",
    "malayalam": "ml", "marathi": "mr", "mongolian": "mn", "nepali": "ne", "norwegian": "no", "persian": "fa",
    "polish": "pl", "portuguese": "pt", "punjabi": "pa", "romanian": "ro", "russian": "ru", "serbian": "sr",
    "slovak": "sk", "slovenian": "sl", "somali": "so", "spanish": "es", "swahili": "sw", "swedish": "sv", "tamil": "ta",
    "telugu": "te", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi",
}  # fmt: skip
"""GDELT's names of languages, and their codes."""
COUNTRIES = {
    "AR": "AR", "BO": "BL", "BR": "BR", "CL": "CI", "CO": "CO", "CR": "CS", "CU": "CU", "DO": "DR", "EC": "EC",
    "ES": "SP", "GQ": "EK", "GT": "GT", "HN": "HO", "MX": "MX", "NI": "NU", "PA": "PM", "PE": "PE", "PR": "RQ",
    "PT": "PO", "PY": "PA", "SV": "ES", "US": "US", "UY": "UY", "VE": "VE",
}  # fmt: skip
"""ISO codes of countries and those that GDELT uses (FIPS 10-4), where ES is El Salvador and PA is Paraguay."""
TRACKERS = re.compile(r"utm_|fbclid$|gclid$|mc_[ce]id$", re.IGNORECASE)

Article = Mapping[str, Any]


class GdeltSource(Searching):
    """Searches by stretches of time: an answer holds 250 articles at most, and there is no second page."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="gdelt",
        title="GDELT",
        query_hint='"cafés lumbre" country:MX lang:es',
        query_about=Note(
            "Words to search for, in the query language, and if you like a country and a language: country:MX lang:es."
        ),
        access="open",
        needs=Note("Nothing: no key, no cost. One request every 5 seconds, often fewer when GDELT is busy."),
        keeps=Note("Title, address and date of the articles: no limit is set. The articles belong to their papers."),
        blind=Note("The articles' texts and authors, readers' reactions, and the time at which a paper published."),
        reach=Note("The last 3 months."),
        reach_days=90,
        searches=True,
        fastest=900,
    )
    base: ClassVar[str] = "https://api.gdeltproject.org"
    abilities: ClassVar[Abilities] = Abilities(
        any_of="groups", least=3, excerpt=True, tells=frozenset({"title", "lang", "country", "url", "site"}),
        own=r"\btone(?:abs)?[<>]",
        says={
            "lang": lambda value: f"lang:{found}" if (found := primary(value)) else None,
            "country": lambda value: f"country:{re.sub(r'[^a-z]', '', called(value)[0])}",
        },
    )

    @classmethod
    def understood(cls, text: str) -> str:
        """The query as GDELT wants it. Raises Refused."""
        return read_query(text)

    _shown: frozenset[str] = frozenset()
    _hidden: datetime | None = None

    def _pace(self) -> float:
        return PACE

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Articles that GDELT saw since the cursor, less an overlap, newest first; copies of one are left out."""
        (text,) = self.asked(query.text).searches
        words = read_query(text)
        now = self._clock.now()
        since = max(query.since, now - WINDOW + SHORTEST) if query.since else None

        def ask(place: Place) -> Stretch:
            return self._stretch(words, place)

        steps = newest_first(self._notes(query, cursor), ask, BOUNDS, now, since, by="time")
        for page in self._walked(query, steps, without_copies(), article_name):
            yield replace(page, covers=self._seen_of(page.covers))

    def _seen_of(self, covers: Span | None) -> Span | None:
        """What is covered; where a moment had more articles than we could be shown, no more than what came after."""
        return Span(max(covers.start, self._hidden), covers.end) if covers and self._hidden else covers

    def _stretch(self, words: str, place: Place) -> Stretch:
        if place.token == MOMENT and place.until:
            return self._other_end(words, place.until)
        now = self._clock.now()
        end = (place.until or now) + (-SECOND if place.token == BELOW else SECOND)
        oldest = now - WINDOW
        start = max(min(place.since, end - SHORTEST), oldest)
        articles = self._articles(words, start, end, "datedesc")
        self._shown = frozenset(str(article.get("url")) for article in articles if isinstance(article, dict))
        return Stretch(
            items=articles, times=moments_of(articles, when), capped=place.since < oldest,
            token=MOMENT if len(articles) >= FULL else None,
        )

    def _other_end(self, words: str, moment: datetime) -> Stretch:
        """The articles of one moment that fills an answer, from the other end: with luck both ends meet."""
        articles = self._articles(words, moment - SECOND, moment + SHORTEST, "dateasc")
        shown = {str(article.get("url")) for article in articles if isinstance(article, dict)}
        if len(articles) >= FULL and not shown & self._shown:
            self._hidden = max(filter(None, (self._hidden, moment)))
        return Stretch(items=articles, times=(), token=BELOW)

    def _articles(self, words: str, start: datetime, end: datetime, sort: str) -> list[Any]:
        params = {
            "query": words, "mode": "artlist", "format": "json", "maxrecords": str(LIMIT), "sort": sort,
            "startdatetime": moment_text(start), "enddatetime": moment_text(end),
        }  # fmt: skip
        answer = self._web.get(self._url("/api/v2/doc/doc"), params=params, verdict=self._verdict)
        told = repaired(answer.body)
        return [] if told == {} else list_of(told, "articles")

    def _verdict(self, answer: Answer) -> SourceError | None:
        """GDELT tells errors as a sentence in place of the JSON, mostly under status 200."""
        if answer.status == 429:
            return self._slow_down(answer)
        if answer.status != 200 or answer.body.lstrip()[:1] == b"{":
            return None
        said = plain(answer.body.decode("utf-8", "replace"))[:200]
        if re.search(r"limit requests|too many requests", said, re.IGNORECASE):
            return self._slow_down(answer)
        if answer.body.lstrip()[:1] != b"<" and re.search(ABOUT_QUERY, said, re.IGNORECASE):
            return Refused(
                "GDELT does not take this query. It says: {said} Correct the query: words of at least three letters, "
                "phrases of several words in quotes, and parentheses around what stands with OR.",
                said=said,
            )
        return TryLater("GDELT could not answer. Nothing is lost: the watch goes on by itself.")

    def _slow_down(self, answer: Answer) -> TryLater:
        told = retry_after(answer.headers, self._clock.now())
        return TryLater(
            "GDELT asks us to slow down. Nothing is lost: the watch goes on by itself.",
            after=PATIENCE if told is None else told,
        )


ABOUT_QUERY = r"quer(y|ies)|phrase|keyword|parenthe|OR'd|too (short|long|common)|invalid|unsupported|not a valid"
"""What GDELT's sentences about a query have in common."""


def read_query(text: str) -> str:
    """The query as GDELT wants it: its own codes of countries and languages, and its own ways with quotes and OR."""
    written = re.sub(r'"(\w+)"', r"\1", " ".join(text.split()))  # a phrase of one word is "too short" for GDELT
    written = re.sub(r"\bcountry:(\w+)", _country, written)
    written = re.sub(r"\blang:(\w+)", _language, written)
    parts = re.findall(r'(?:[^\s"]|"[^"]*")+', written)
    filters = [part for part in parts if re.match(r"-?[a-z]+\d*[:<>]", part)]
    if re.search(r"\bdomain(is)?:\S*-", written):
        raise Refused("GDELT finds nothing by a domain with a dash in it. Leave the domain out.")
    words = " ".join(part for part in parts if part not in filters)
    if not re.search(r"\w{2}", words):
        raise Refused('Write the words to search for, such as "cafés lumbre" country:MX lang:es')
    if re.search(r"\bOR\b", words) and "(" not in words:
        words = f"({words})"
    return " ".join([words, *filters])


def _country(found: re.Match[str]) -> str:
    code = COUNTRIES.get(found[1].upper())
    if code is None:
        raise Refused(
            "GDELT's code for the country {code} is not known here. Known are: {known}. Leave the country out, or "
            "write sourcecountry: and its English name without spaces.",
            code=found[1], known=", ".join(sorted(COUNTRIES)),
        )
    return f"sourcecountry:{code}"


def _language(found: re.Match[str]) -> str:
    names = {code: name for name, code in LANGUAGES.items()}
    name = names.get(found[1].lower())
    if name is None:
        raise Refused(
            "GDELT's name for the language {code} is not known here. Leave the language out, or write sourcelang: and "
            "its English name.",
            code=found[1],
        )
    return f"sourcelang:{name}"


def repaired(body: bytes) -> Any:
    """The JSON of an answer, which now and then holds escapes that JSON does not know.

    Raises:
        TryLater: it cannot be read even so.
    """
    text = body.decode("utf-8", "replace")
    sound = re.sub(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\', lambda found: found[0] if found[1] else "", text)
    try:
        return json.loads(sound, strict=False)
    except (ValueError, RecursionError):
        raise TryLater("GDELT's answer cannot be read. Nothing is lost: the watch goes on by itself.") from None


def without_copies() -> Callable[[Any], Mention | None]:
    """Reads articles, leaving out those that other papers of the same day carry under the same title."""
    first: dict[tuple[str, str], str] = {}

    def read(article: Any) -> Mention | None:
        mention = to_mention(article)
        story = ((mention.title or "").casefold(), mention.created_at.date().isoformat())
        return mention if first.setdefault(story, mention.source_id) == mention.source_id else None

    return read


def moment_text(moment: datetime) -> str:
    """A moment as GDELT's parameters have it."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def when(article: Any) -> datetime:
    """When GDELT saw it, which it does every 15 minutes."""
    return datetime.strptime(article["seendate"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def article_name(article: Any) -> str:
    """How a refused article is named to a person."""
    return f"article at {article.get('domain')}" if isinstance(article, dict) else "article"


def to_mention(article: Article) -> Mention:
    """Map an article. GDELT tells no text, so the title stands for it; `raw["date_from"]` says that the date is its."""
    domain, title = article["domain"], tidy(article["title"])
    language = article.get("language") or ""
    return Mention(
        source="gdelt",
        source_id=address_key(article["url"]),
        kind="article",
        title=title,
        text=title,
        lang=LANGUAGES.get(language.strip().lower()),
        url=article["url"],
        created_at=when(article),
        author=Author(id=domain, handle=domain, name=domain, url=f"https://{domain}") if domain else None,
        place=article.get("sourcecountry") or None,
        raw={**article, "date_from": "seen"},
    )


def tidy(title: str) -> str:
    """The title without the spaces that GDELT puts around punctuation."""
    closed = re.sub(r"\s+([,.;:!?%)\]»”’])", r"\1", plain(title))
    return re.sub(r"([(\[«“‘¿¡])\s+", r"\1", closed)


def address_key(url: str) -> str:
    """An article's address without what varies: its scheme, `www.`, the end's slash, fragments, and trackers."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no address")
    kept = urlencode([(name, value) for name, value in parse_qsl(parts.query) if not TRACKERS.match(name)])
    return f"{parts.hostname.removeprefix('www.')}{parts.path.rstrip('/')}" + (f"?{kept}" if kept else "")
