"""Draws the journey map: per stage how many speak, how they feel, what hurts, where, and in their words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from escucha.enrichment import TaggedMention
from escucha.filter import MentionFilter
from escucha.journey import NO_LABEL, Catalogue, JourneyMap, Quote, Stage, StageColumn, Tally
from escucha.statistics import sentiment_mix, share
from store import metrics
from store.metrics import StageCount

TOP = 5
QUOTES = 3
CANDIDATES = 40
QUOTE_LENGTH = 220


def draw(session: Session, filter: MentionFilter, catalogue: Catalogue) -> JourneyMap:
    """The map of the mentions a filter means; every stage of the catalogue has its column, empty ones too."""
    pains, touchpoints = metrics.by_stage(session, filter, "pain"), metrics.by_stage(session, filter, "touchpoint")
    staged = sum(count.n for count in pains if count.stage not in (None, NO_LABEL))
    columns = tuple(
        _column(stage, [c for c in pains if c.stage == stage.key], [c for c in touchpoints if c.stage == stage.key],
                staged, metrics.newest_of_stage(session, filter, stage.key, CANDIDATES))
        for stage in catalogue.stages
    )
    return JourneyMap(
        brand=filter.brand or "", since=filter.since, until=filter.until, n=sum(count.n for count in pains),
        staged=staged, columns=columns,
    )


def _column(
    stage: Stage, pains: Sequence[StageCount], touchpoints: Sequence[StageCount], staged: int,
    newest: Sequence[TaggedMention],
) -> StageColumn:
    n = sum(count.n for count in pains)
    feel = {key: sum(c.n for c in pains if c.sentiment == key) for key in ("positive", "neutral", "negative")}
    mix = sentiment_mix(**feel)
    return StageColumn(
        stage=stage, n=n, share=share(n, staged), mix=mix,
        emotion=None if mix.net is None else mix.net / 50,
        pains=_top(pains), touchpoints=_top(touchpoints),
        quotes=tuple(quotes(newest)),
    )


def _top(counts: Sequence[StageCount]) -> tuple[Tally, ...]:
    feelings: dict[str, dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
    for count in counts:
        if count.key not in (None, NO_LABEL):
            feelings[str(count.key)][count.sentiment] += count.n
    return tuple(metrics.ranked(feelings)[:TOP])


def quotes(candidates: Sequence[TaggedMention]) -> list[Quote]:
    """Choose a few that speak for a stage: the surest of each sentiment first, then the surest of the rest."""
    ranked = sorted(candidates, key=_weight, reverse=True)
    first: dict[str, TaggedMention] = {}
    for mention in ranked:
        first.setdefault(_feeling(mention), mention)
    chosen = list(first.values()) + [m for m in ranked if m not in first.values()]
    return [_quote(mention) for mention in sorted(chosen[:QUOTES], key=_weight, reverse=True)]


def _weight(mention: TaggedMention) -> tuple[bool, float]:
    """A text that says something and fits is worth more than one we are surer of."""
    feeling = mention.enrichment.sentiment
    return 30 <= len(mention.mention.text) <= QUOTE_LENGTH, feeling.score if feeling else 0.0


def _feeling(mention: TaggedMention) -> str:
    return mention.enrichment.sentiment.label if mention.enrichment.sentiment else ""


def _quote(tagged: TaggedMention) -> Quote:
    text = " ".join((tagged.mention.text or tagged.mention.title or "").split())
    short = text if len(text) <= QUOTE_LENGTH else text[: QUOTE_LENGTH - 1].rsplit(" ", 1)[0] + "…"
    author = tagged.mention.author
    return Quote(
        mention_id=tagged.id, text=short, source=tagged.mention.source, author=author.handle if author else None,
        sentiment=_feeling(tagged), created_at=tagged.mention.created_at, url=tagged.mention.url,
    )
