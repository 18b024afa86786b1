"""Copies: how fast they are found, which planted ones are missed, and what is taken for a copy and is none.

`python -m benchmarks.dedupe` prints JSON. Where the shared tweets lie beside the repository it reads real texts too.
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

from benchmarks import made
from config.catalogue import HERE
from escucha.brand import Brand
from nlp.likeness import ALIKE, Signature, compared, groups, likeness, shingles, sign
from pipeline import sample
from pipeline.duplicates import _candidates, group_waiting
from pipeline.pool import Inline
from store import brands, mentions
from store.engine import Store, open_store
from store.schema import migrate
from tests.postgres import emptied, postgres_server

TEXTS = 20_000
VARIED = 4_000
ROWS = 10_000
ROUNDS = 5
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
TWEETS = ("umsab", "tweeteval", "us_airline", "airlines_es", "emoevent")
DICE = random.Random(7)


def swapped(text: str) -> str:
    words = text.split()
    words[DICE.randrange(len(words))] = "quizás"
    return " ".join(words)


def cut(text: str) -> str:
    words = text.split()
    return " ".join(words[: round(0.75 * len(words))]) + "…"


def bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


VARIANTS: dict[str, Callable[[str], str]] = {
    "retweet": lambda text: f"RT @medio: {text}",
    "address": lambda text: f"{text} https://t.invalid/{DICE.randrange(10**9):x}",
    "case": str.upper,
    "emoji": lambda text: f"😡 {text} 👎🏽🔥",
    "accents": bare,
    "punctuation": lambda text: f"“{text.replace(' ', ', ', 1)}”!!!",
    "a word changed": swapped,
    "cut to three quarters": cut,
    "hashtags added": lambda text: f"{text} #marca #queja",
}


def distinct(n: int) -> list[str]:
    """Texts of 5 to 40 words, drawn one by one from the sample's words, so that no two are alike by their making."""
    words = [word for line in sample.read(HERE / "sample") for word in line["text"].split()]
    return [" ".join(DICE.choices(words, k=DICE.randint(5, 40))) for _ in range(n)]


def tweets() -> list[str]:
    """The real tweets of the shared data sets, each once as it is compared."""
    found: dict[str, str] = {}
    for name in TWEETS:
        for part in ("train", "dev"):
            path = SHARED / name / f"{part}.jsonl.gz"
            if path.is_file():
                with gzip.open(path, "rt", encoding="utf-8") as lines:
                    for line in lines:
                        text = json.loads(line)["text"]
                        found.setdefault(" ".join(compared(text)), text)
    return list(found.values())


def grouped(texts: Sequence[str], signed: Sequence[Signature]) -> list[set[int]]:
    """The groups of texts by their places, in memory, as the pipeline finds them."""
    newest = {one.same: place for place, one in enumerate(signed) if one.same}
    exact = [(place, newest[one.same]) for place, one in enumerate(signed) if one.same]
    asked = {place: signed[place].bands for place in newest.values()}
    return groups(exact, _candidates(asked, {}, set(asked), {}), dict(enumerate(texts)), {})


def speed(texts: Sequence[str]) -> dict[str, float]:
    """Texts a second of one core, by its own clock: the machine is shared. And by the wall's."""
    cpu, wall, whole = [], [], []
    for _ in range(ROUNDS):
        began, at = time.perf_counter(), time.process_time()
        signed = sign(texts)
        cpu.append(time.process_time() - at)
        wall.append(time.perf_counter() - began)
        grouped(texts, signed)
        whole.append(time.process_time() - at)
    rate = lambda seconds: round(len(texts) / seconds)  # noqa: E731
    return {
        "texts": len(texts), "letters_mean": round(statistics.mean(map(len, texts))),
        "signed_per_s_best": rate(min(cpu)), "signed_per_s_median": rate(statistics.median(cpu)),
        "signed_per_s_wall_best": rate(min(wall)), "signed_and_grouped_per_s_best": rate(min(whole)),
        "signed_and_grouped_per_s_median": rate(statistics.median(whole)),
    }


def recall(texts: Sequence[str]) -> dict[str, float]:
    """Of each kind of planted variant the share that is grouped with its original."""
    long = [place for place, text in enumerate(texts) if len(compared(text)) >= 8]
    chosen = DICE.sample(long, min(VARIED, len(long)))
    kinds = [list(VARIANTS)[turn % len(VARIANTS)] for turn in range(len(chosen))]
    planted = [VARIANTS[kind](texts[place]) for kind, place in zip(kinds, chosen, strict=True)]
    everything = [*texts, *planted]
    found = {place: number for number, group in enumerate(grouped(everything, sign(everything))) for place in group}
    met = Counter[str]()
    for turn, (kind, place) in enumerate(zip(kinds, chosen, strict=True)):
        met[kind] += found.get(place, -1) == found.get(len(texts) + turn, -2)
    asked = Counter(kinds)
    return {kind: round(met[kind] / asked[kind], 4) for kind in VARIANTS} | {
        "all": round(sum(met.values()) / len(kinds), 4), "planted": len(kinds)
    }


def false_merges(texts: Sequence[str]) -> dict[str, object]:
    """What is grouped among texts that all differ: how alike the pairs of a group are, by words and by letters."""
    found = [sorted(group) for group in grouped(texts, sign(texts))]
    pairs = [pair for group in found for pair in combinations(group, 2)]
    near = [pair for pair in pairs if likeness(*(shingles(texts[place]) for place in pair)) >= ALIKE]
    told = {pair: [" ".join(compared(texts[place])) for place in pair] for pair in pairs}
    letters = {pair: SequenceMatcher(None, *both, autojunk=False).ratio() for pair, both in told.items()}
    least = sorted(near, key=letters.__getitem__)
    return {
        "texts": len(texts), "groups": len(found), "largest": max(map(len, found), default=0),
        "mentions_grouped": sum(map(len, found)), "copies": sum(map(len, found)) - len(found),
        "pairs_near_each_other": len(near), "pairs_joined_by_others_only": len(pairs) - len(near),
        "near_pairs_with_under_0.7_of_their_letters_alike": sum(letters[pair] < 0.7 for pair in near),
        "other_pairs_with_under_0.7_of_their_letters_alike": sum(letters[pair] < 0.7 for pair in {*pairs} - {*near}),
        "groups_that_have_such_a_pair": sum(
            any(letters[pair] < 0.7 for pair in combinations(group, 2)) for group in found
        ),
        "the_least_alike": [[texts[place] for place in pair] for pair in least[:8]],
    }


def step(store: Store, texts: Sequence[str]) -> dict[str, int]:
    """Mentions a second of the whole step: read, sign, compare, and save with the roll-ups; a tenth are copies."""
    migrate(store)
    if store.dialect == "postgresql":
        emptied(store)
    with store.write() as session:
        brand = brands.add(session, Brand(slug="bench", name="Bench"))
    for said in batches(texts):
        with store.write() as session:
            mentions.save(session, brand, said, made.END)
    began, at = time.perf_counter(), time.process_time()
    n = group_waiting(store, Inline())
    wall, own = time.perf_counter() - began, time.process_time() - at
    return {"mentions": n, "mentions_per_s": round(n / wall), "per_s_of_this_process_own_time": round(n / own)}


def batches(texts: Sequence[str]) -> Iterator[list[object]]:
    heard = [replace(mention, text=texts[place] if place % 10 else texts[place // 2])
             for place, mention in enumerate(made.mentions(len(texts)))]
    for start in range(0, len(heard), 1_000):
        yield heard[start : start + 1_000]


def campaign(store: Store) -> dict[str, int]:
    """The same where 5,000 say nearly the same, and its first is deleted at the end."""
    texts = [f"Participo en el sorteo de la marca por un año de café gratis número {number}" for number in range(5_000)]
    figures = step(store, texts)
    with store.write() as session:
        began = time.perf_counter()
        mentions.remove(session, [1])
        figures["ms_to_delete_the_first"] = round(1000 * (time.perf_counter() - began))
    return figures


def main() -> None:
    texts, real = distinct(TEXTS), tweets()
    figures: dict[str, object] = {"speed_made": speed(texts), "recall_made": recall(texts)}
    if real:
        figures |= {"speed_tweets": speed(real), "recall_tweets": recall(real), "distinct_tweets": false_merges(real)}
    with tempfile.TemporaryDirectory() as folder:
        for name, measured in (("step", lambda store: step(store, texts[:ROWS])), ("campaign", campaign)):
            figures[f"sqlite_{name}"] = measured(open_store(f"sqlite:///{Path(folder) / name}.db"))
        with postgres_server() as url:
            for name, measured in (("step", lambda store: step(store, texts[:ROWS])), ("campaign", campaign)):
                figures[f"postgresql_{name}"] = measured(open_store(url)) if url else "no server"
    print(json.dumps({"dedupe": figures}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
