"""What hostile and clumsy hands write as queries: how many are read, how many refused, and whether any breaks us."""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import func, select
from starlette.testclient import TestClient

from api.app import create_app
from benchmarks import made
from config.settings import Settings
from escucha.brand import Brand
from escucha.errors import Invalid
from escucha.query.parse import LONGEST, parse
from escucha.query.written import written
from store import brands, enrichments, mentions
from store.engine import Store, open_store
from store.schema import migrate
from store.tables import MentionRow
from tests.postgres import postgres_server

INPUTS = 20_000
MENTIONS = 2_000
VALID = (
    "café frío", "café -té", "(café OR té) AND NOT azúcar", '"muy frío" O cal*', '"café frío"~5', "café NEAR/3 frío",
    '(servicio OR atención) ONEAR/5 (mal* OR "muy lento")', 'raw:"C++ \\"ya\\""', "#café @ana autor:ana*",
    "followers:>3000 engagement:>=50 rating:<=2,5", "site:ejemplo.invalid url:post/1", "lang:es país:mx fuente:rss",
    "etapa:compra dolor:none sentimiento:negativo tag:purchase brand:bench", 'title:"café de olla" type:review',
    "café <<< una nota >>> frío", "wi-fi ☕ año", "NOT (NOT (a OR b) c)", "“hola” «mundo»",
)
INJECTIONS = (
    "'; DROP TABLE mention; --", "\" OR 1=1 --", "') UNION SELECT * FROM credential --", "x' AND sleep(5)='",
    "%' OR '%'='",
    "mention_words MATCH 'x'", 'words : "a"', "a NEAR(b c, 5)", "{words}: a", "^a", "a + b", "col:*", 'raw:"\'; --"',
    "author:\"' OR ''='\"", "$$; SELECT pg_sleep(5); $$", "E'\\x41'", "\\'; --", "%s %(a)s :a ?1", "{0.__class__}",
    "(?=(a+)+$)", "[[:<:]]a", "a\\y", "<script>alert(1)</script>", "../../etc/passwd", "${7*7}", "site:.*", "site:a(b",
    "url:%", "url:_", "title:\"a' --\"", "author:%*", "lang:es'--",
)  # fmt: skip
ALPHABETS = (
    "abcñáé -", "()\"'<>~*:#@-/\\ \n\t", "ANDORNTYoy() ", "\0\x01\x1f\u200b\u202e\ufeff\ud800",
    "ａＢ①ﬁ™ßİıΣς\u0301\u0303", "😀👩‍👩‍👧🇲🇽☕️", "日本語한국어العربية", "0123456789.,><=km",
)
JSON = {"Content-Type": "application/json"}
PIECES = ("AND", "OR", "NOT", "Y", "O", "NO", "-", "(", ")", '"', "~3", "NEAR/2", "ONEAR/50", "*", "<<<", ">>>", ":",
          "author:", "followers:>", "raw:", "#", "@", "café", "a", " ", "\n")  # fmt: skip


def inputs(dice: random.Random, n: int) -> Iterator[str]:
    """`n` texts of every kind of hand."""
    kinds: tuple[Callable[[random.Random], str], ...] = (_letters, _pieces, _mutated, _mutated, _injected, _deep)
    for _ in range(n):
        yield dice.choice(kinds)(dice)


def _letters(dice: random.Random) -> str:
    if dice.random() < 0.2:
        return "".join(chr(dice.randrange(0x110000)) for _ in range(dice.randrange(60)))
    letters = "".join(dice.sample(ALPHABETS, 2))
    return "".join(dice.choice(letters) for _ in range(dice.choice((3, 30, 300))))


def _pieces(dice: random.Random) -> str:
    return dice.choice(("", " ")).join(dice.choice(PIECES) for _ in range(dice.randint(1, 20)))


def _mutated(dice: random.Random) -> str:
    """Valid queries with a few letters dropped, doubled, swapped or foreign."""
    text = list(dice.choice((" ", " OR ", " -", "\n")).join(dice.sample(VALID, dice.randint(1, 3))))
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        place = dice.randrange(len(text))
        text[place : place + dice.randint(0, 2)] = dice.choice(
            ([], [text[place]] * 2, [dice.choice(dice.choice(ALPHABETS))], list(dice.choice(PIECES)))
        )
        text = text or ["a"]
    return "".join(text)


def _injected(dice: random.Random) -> str:
    attack = dice.choice(INJECTIONS)
    if dice.random() < 0.5:
        place, valid = dice.randrange(len(attack)), dice.choice(VALID)
        return dice.choice((attack[:place] + valid + attack[place:], valid + attack, f"{valid} OR {attack}"))
    return dice.choice((attack, f'"{attack}"', f'raw:"{attack}"', f"café {attack}", f"author:{attack}",
                        attack + dice.choice(INJECTIONS), attack.upper()))  # fmt: skip


def _deep(dice: random.Random) -> str:
    depth = dice.choice((dice.randint(1, 30), dice.randint(1, 4_200)))
    return dice.choice((
        "(" * depth + "a" + ")" * depth, "-(" * depth + "a" + ")" * depth, "(" * depth, "NOT " * depth + "a",
        "(a OR b " * depth + ")" * depth, "-" * depth + "a", '"' * depth, "a" * depth, "a " * depth, "a* " * depth,
        "\\" * depth + '"', f'raw:"{chr(92) * depth}', "<<<" * depth, "a NEAR/1 " * depth + "b", "#" * depth,
        "a:" * depth,
        f"({' OR '.join('abcdefghij')}) NEAR/50 ({' OR '.join('abcdefghij')})", "(a OR b* OR " * depth,
    ))  # fmt: skip


def parsed(texts: list[str]) -> dict[str, object]:
    """Each text through the parser: read (and written, and read again alike), or refused with a place."""
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    times: dict[str, list[float]] = {}
    for text in texts:
        begun = time.perf_counter()
        try:
            query = parse(text)
            outcome = "read"
        except Invalid as error:
            placed = len(text) > LONGEST or "terms" in error.details or "column" in error.details
            outcome = "refused" if placed else "refused without a place"
        except Exception as error:
            outcome = f"broken: {type(error).__name__}"
        times.setdefault(outcome, []).append((time.perf_counter() - begun) * 1_000)
        if outcome == "read" and len(text := written(query)) <= LONGEST and parse(text) != query:
            outcome = "not written again"
        outcomes[outcome] += 1
        if outcome not in ("read", "refused"):
            broken.append(text)
    return {**dict(outcomes), "ms": {kind: _spread(each) for kind, each in times.items()}, "broken_texts": broken[:20]}


def previewed(store: Store, texts: list[str]) -> dict[str, object]:
    """Each text through `POST /queries/preview`: how many answers of each status, and how long they took."""
    client = TestClient(create_app(Settings(), store), base_url="http://localhost:8000", raise_server_exceptions=False)
    statuses: Counter[str] = Counter()
    broken: list[str] = []
    times = []
    for text in texts:
        begun = time.perf_counter()
        body = json.dumps({"text": text})  # escapes what UTF-8 cannot carry
        status = client.post("/api/v1/queries/preview", content=body, headers=JSON).status_code
        times.append((time.perf_counter() - begun) * 1_000)
        statuses[str(status)] += 1
        if status not in (200, 422):
            broken.append(text)
    client.close()
    with store.read() as session:
        stored = session.scalar(select(func.count()).select_from(MentionRow))
    slowest = sorted(zip(times, texts, strict=True), reverse=True)[:5]
    return {"inputs": len(texts), "by_status": dict(statuses), "ms": _spread(times), "broken_texts": broken[:20],
            "slowest": [{"ms": round(ms), "text": text[:100]} for ms, text in slowest],
            "mentions_before": MENTIONS, "mentions_after": stored}


def filled(store: Store) -> Store:
    """A store of mentions that are tagged."""
    migrate(store)
    with store.write() as session:
        brand = brands.add(session, Brand(slug="bench", name="Bench"))
        mentions.save(session, brand, made.mentions(MENTIONS), made.END)
        claimed = enrichments.claim(session, MENTIONS, made.END)
        enrichments.save(session, list(zip(claimed, made.labels(MENTIONS), strict=False)), made.END)
    return store


def _spread(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50": round(cuts[49], 3), "p95": round(cuts[94], 3), "most": round(max(times), 3)}


def main() -> None:
    """All inputs through the parser and the API on SQLite, a tenth on PostgreSQL; `--short`: a tenth of that."""
    n = INPUTS // 10 if "--short" in sys.argv else INPUTS
    texts = list(inputs(random.Random(7), n))
    figures: dict[str, object] = {"inputs": n, "different": len(set(texts)), "parse": parsed(texts)}
    with tempfile.TemporaryDirectory() as folder:
        store = filled(open_store(f"sqlite:///{Path(folder) / 'queries.db'}", "NORMAL"))
        figures["preview_sqlite"] = previewed(store, texts)
        store.close()
    with postgres_server() as url:
        if url is not None:
            store = filled(open_store(url))
            figures["preview_postgresql"] = previewed(store, texts[:: 10])
            store.close()
    print(json.dumps({"queries": figures}, indent=2))


if __name__ == "__main__":
    main()
