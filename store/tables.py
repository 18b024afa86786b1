"""The rows: brands, watches and their runs, authors, and mentions with what was understood of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from store.types import UtcTime

PANEL = ("brand_id", "created_at", "day", "stage", "sentiment", "pain", "touchpoint", "source", "lang", "hidden",
         "copy")  # fmt: skip
Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only as INTEGER


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can find it on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, str: Text, dict[str, Any]: JSON(none_as_null=True), list[str]: JSON}  # noqa: RUF012


class BrandRow(Base):
    """A brand we listen for."""

    __tablename__ = "brand"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str]
    aliases: Mapped[list[str]]
    rivals: Mapped[list[str]]
    languages: Mapped[list[str]]
    timezone: Mapped[str]
    sample: Mapped[bool] = mapped_column(default=False)


class WatchRow(Base):
    """A query put to one source on a schedule; `next_at` is the schedule, `leased_until` keeps two from running it.

    It is asked at least every `slowest` and at most every `every` seconds, now every `pace`. `hook` is the address of
    a watch that is sent to instead of asking.
    """

    __tablename__ = "watch"
    __table_args__ = (
        UniqueConstraint("brand_id", "source", "query"),
        Index("ix_watch_hook", "hook", unique=True),
        Index("ix_watch_due", "next_at", **_where("state = 'active'")),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(100))
    query: Mapped[str]
    terms: Mapped[list[str]]
    every: Mapped[int]
    slowest: Mapped[int]
    pace: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default="active")
    cursor: Mapped[dict[str, Any] | None]
    made_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_good_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    problem: Mapped[dict[str, Any] | None]
    doubt: Mapped[dict[str, Any] | None]
    quota: Mapped[dict[str, Any] | None]
    hook: Mapped[str | None] = mapped_column(String(64))


class RunRow(Base):
    """The ledger of one run of a watch: fetched = new + updated + duplicate + refused.

    `passed` items were read besides and left out on purpose; `gone` are deletions that the source told. From
    `covers_from` to `covers_to` everything was read. `cost` is in US dollars.
    """

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    watch_id: Mapped[int] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    fetched: Mapped[int]
    new: Mapped[int]
    updated: Mapped[int]
    duplicate: Mapped[int]
    refused: Mapped[int]
    passed: Mapped[int] = mapped_column(default=0)
    gone: Mapped[int] = mapped_column(default=0)
    cost: Mapped[float] = mapped_column(Float, default=0.0)
    covers_from: Mapped[datetime | None]
    covers_to: Mapped[datetime | None]
    backfill_id: Mapped[int | None] = mapped_column(BigInteger)
    refusals: Mapped[dict[str, Any] | None]
    problem: Mapped[dict[str, Any] | None]


class BackfillRow(Base):
    """A reading of a watch's past, back to `since`, beside its live runs; `cursor` is where it goes on."""

    __tablename__ = "backfill"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    watch_id: Mapped[int] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(20))
    cursor: Mapped[dict[str, Any] | None]
    reached: Mapped[datetime | None]
    fetched: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    next_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    problem: Mapped[dict[str, Any] | None]


class TombstoneRow(Base):
    """An item that was deleted where it was said, or by us: only its mark is kept, so that it does not come back."""

    __tablename__ = "tombstone"

    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class CredentialRow(Base):
    """A key for a source, encrypted (store.vault); of one brand, or of all where `brand_id` is empty."""

    __tablename__ = "credential"
    __table_args__ = (Index("ix_credential_source", "source", "brand_id", "name", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(100))
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    sealed: Mapped[str]
    at: Mapped[datetime]


class ChannelRow(Base):
    """What a person says of a channel of the brand: whether it exists, who attends to it."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    present: Mapped[bool | None]
    attended: Mapped[bool | None]
    owner: Mapped[str | None] = mapped_column(String(200))


class AuthorRow(Base):
    """Who speaks, per source: identities are never joined across platforms.

    `followers` was told at `followers_at`; `asked_at` is when the source was last asked for it by itself. What a
    blocked author said is kept, and shown and counted nowhere.
    """

    __tablename__ = "author"
    __table_args__ = (UniqueConstraint("source", "key"), Index("ix_author_asked", "source", "asked_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(100))
    key: Mapped[str]
    handle: Mapped[str]
    name: Mapped[str | None]
    url: Mapped[str | None]
    followers: Mapped[int | None] = mapped_column(BigInteger)
    followers_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    verified: Mapped[bool | None]
    blocked_at: Mapped[datetime | None]


class MentionRow(Base):
    """One thing one person said about one brand, with its labels and the state of its enrichment.

    `day` is the brand's local day, kept so that no query needs time-zone arithmetic; `seek` orders mentions by time in
    one number that is also the row of the full-text index (store.seek). `words`, `title_words` and `hashtags` are what
    searching reads (escucha.words), parted by one space; `content` is the hash that tells an edit from a repeat;
    `check_at` is when its source is to be asked whether it still exists, `confirmed_at` when it last said so.

    `same` is the hash that exact copies share (None: not yet compared), `cluster_id` the first mention of those that
    say nearly the same, and `copy` says that it is not the first of them. `hidden` is why it is neither shown nor
    counted: an exclusion ("exclusion:7"), a person ("person"), or an author who is "blocked"; `kept` says that a person
    wants it in spite of the exclusions.
    """

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("source", "source_id", "brand_id"),
        Index("ix_mention_newest", "brand_id", "seek"),
        Index("ix_mention_stage", "brand_id", "stage", "seek"),
        Index("ix_mention_engagement", "brand_id", "engagement", "seek"),  # on PostgreSQL with the unknown last
        # Covers the dashboards' counts; the mentions themselves are not read for them.
        Index("ix_mention_panel", *PANEL),
        Index("ix_mention_author_id", "author_id"),
        Index("ix_mention_pending", "id", **_where("state = 'pending'")),
        Index("ix_mention_failed", "id", **_where("state = 'failed'")),
        Index("ix_mention_check", "check_at", **_where("check_at IS NOT NULL")),
        Index("ix_mention_compare", "id", **_where("same IS NULL")),
        Index("ix_mention_same", "brand_id", "same", **_where("same IS NOT NULL")),
        Index("ix_mention_cluster", "cluster_id", **_where("cluster_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    watch_id: Mapped[int | None] = mapped_column(ForeignKey("watch.id", ondelete="SET NULL"), index=True)
    source: Mapped[str] = mapped_column(String(100))
    source_id: Mapped[str]
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str | None]
    text: Mapped[str]
    seek: Mapped[int] = mapped_column(BigInteger)
    words: Mapped[str]
    title_words: Mapped[str | None]
    hashtags: Mapped[str | None]
    content: Mapped[str] = mapped_column(String(32))
    declared_lang: Mapped[str | None] = mapped_column(String(35))
    url: Mapped[str | None]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    heard_at: Mapped[datetime]
    check_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    day: Mapped[date] = mapped_column(Date)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id", ondelete="SET NULL"))
    likes: Mapped[int | None] = mapped_column(BigInteger)
    comments: Mapped[int | None] = mapped_column(BigInteger)
    shares: Mapped[int | None] = mapped_column(BigInteger)
    views: Mapped[int | None] = mapped_column(BigInteger)
    engagement: Mapped[int | None] = mapped_column(BigInteger)
    rating: Mapped[float | None] = mapped_column(Float)
    parent_id: Mapped[str | None]
    place: Mapped[str | None]
    raw: Mapped[dict[str, Any] | None]

    same: Mapped[str | None] = mapped_column(String(32))
    cluster_id: Mapped[int | None] = mapped_column(BigInteger)
    copy: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[str | None] = mapped_column(String(20))
    kept: Mapped[bool] = mapped_column(default=False)

    state: Mapped[str] = mapped_column(String(10), default="pending")
    tries: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    tagged_at: Mapped[datetime | None]
    versions: Mapped[dict[str, Any] | None]
    lang: Mapped[str | None] = mapped_column(String(35))
    lang_score: Mapped[float | None] = mapped_column(Float)
    sentiment: Mapped[str | None] = mapped_column(String(40))
    sentiment_score: Mapped[float | None] = mapped_column(Float)
    stage: Mapped[str | None] = mapped_column(String(40))
    stage_score: Mapped[float | None] = mapped_column(Float)
    pain: Mapped[str | None] = mapped_column(String(40))
    pain_score: Mapped[float | None] = mapped_column(Float)
    touchpoint: Mapped[str | None] = mapped_column(String(40))
    touchpoint_score: Mapped[float | None] = mapped_column(Float)
    emotion: Mapped[str | None] = mapped_column(String(40))
    emotion_score: Mapped[float | None] = mapped_column(Float)
    said: Mapped[dict[str, Any] | None]


class VectorRow(Base):
    """A mention's embedding (escucha.vector), beside the mention so that lists and counts do not read past it."""

    __tablename__ = "vector"

    mention_id: Mapped[int] = mapped_column(Id, ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(String(200))
    data: Mapped[bytes] = mapped_column(LargeBinary)


class PartRow(Base):
    """A stretch of a mention's text that says something of its own (escucha.enrichment.Part)."""

    __tablename__ = "part"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"), index=True)
    start: Mapped[int]
    end: Mapped[int]
    sentiment: Mapped[str | None] = mapped_column(String(40))
    sentiment_score: Mapped[float | None] = mapped_column(Float)
    pain: Mapped[str | None] = mapped_column(String(40))
    pain_score: Mapped[float | None] = mapped_column(Float)
    touchpoint: Mapped[str | None] = mapped_column(String(40))
    touchpoint_score: Mapped[float | None] = mapped_column(Float)


class CorrectionRow(Base):
    """What a person says a mention's label is. The model's own answer is kept in the mention's `said`."""

    __tablename__ = "correction"
    __table_args__ = (UniqueConstraint("mention_id", "kind"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class RuleRow(Base):
    """A brand's rule: mentions with these words, and perhaps with the label `only`, get `label`.

    While it is put to the stored mentions, `after_id` is the last that has been read with it; None: all have.
    """

    __tablename__ = "rule"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    words: Mapped[list[str]]
    kind: Mapped[str] = mapped_column(String(20))
    only: Mapped[str | None] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(40))
    active: Mapped[bool]
    after_id: Mapped[int | None] = mapped_column(BigInteger)
    made_at: Mapped[datetime]


class OwnLabelRow(Base):
    """A brand's own stage, pain or touchpoint, or its own words for one of the catalogue (then without examples)."""

    __tablename__ = "own_label"
    __table_args__ = (UniqueConstraint("brand_id", "kind", "key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(40))
    label: Mapped[dict[str, Any]]
    meaning: Mapped[dict[str, Any]]
    examples: Mapped[list[str]]
    made_at: Mapped[datetime]


class HeadRow(Base):
    """A brand's own head: what reads vectors of version `reads` for one kind. At most one of a kind is active."""

    __tablename__ = "head"
    __table_args__ = (Index("ix_head_brand_id", "brand_id", "kind", "state"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    reads: Mapped[str] = mapped_column(String(200))
    classes: Mapped[list[str]]
    weights: Mapped[bytes] = mapped_column(LargeBinary)
    report: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class JobRow(Base):
    """A long piece of work over many mentions, in steps that can be resumed after `after_id`."""

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    asked: Mapped[dict[str, Any]]
    total: Mapped[int]
    done: Mapped[int]
    changed: Mapped[int]
    failed: Mapped[int]
    after_id: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    problem: Mapped[dict[str, Any] | None]


class TallyRow(Base):
    """How many mentions of a brand share a local day, one label and a sentiment: a narrow cube (store.rollups).

    `dimension` says of what `key` is a value ("stage", "stage|pain", …; "" for all mentions), "" stands for no label.
    `copies` of the `n` are copies of an earlier mention. Hidden mentions are not counted.
    """

    __tablename__ = "tally"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(20), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    sentiment: Mapped[str] = mapped_column(String(40), primary_key=True)
    n: Mapped[int]
    copies: Mapped[int]


class AuthorTallyRow(Base):
    """What an author said of a brand in a local month (its first day): how much, how felt, and how others reacted."""

    __tablename__ = "author_tally"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    author_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    n: Mapped[int]
    positive: Mapped[int]
    negative: Mapped[int]
    engagement: Mapped[int] = mapped_column(BigInteger)


class BandRow(Base):
    """One band of a mention's MinHash signature: mentions that share one may say nearly the same (nlp.likeness)."""

    __tablename__ = "band"
    __table_args__ = (Index("ix_band_mention", "mention_id"), {"sqlite_with_rowid": False})

    brand_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # it goes with its mention
    band: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    mention_id: Mapped[int] = mapped_column(ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True)


class ExclusionRow(Base):
    """What a brand does not want: a query ("query"), an author or a site; `refuse`: it is not even collected.

    While it is put to the stored mentions, `after_id` is the last that has been read with it; None: all have. One that
    was taken back is "gone", its value its own number, until what it hid has been looked at again.
    """

    __tablename__ = "exclusion"
    __table_args__ = (UniqueConstraint("brand_id", "kind", "value"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str]
    refuse: Mapped[bool] = mapped_column(default=False)
    after_id: Mapped[int | None] = mapped_column(BigInteger)
    made_at: Mapped[datetime]


class RetentionRow(Base):
    """How many days mentions, and the raw answers they came from, are kept: of a source, a brand, both, or all."""

    __tablename__ = "retention"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str | None] = mapped_column(String(100))
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    days: Mapped[int | None]
    raw_days: Mapped[int | None]


class AuditRow(Base):
    """That something was done for or against somebody's data, without the data: when, what, how much, and a mark."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(40))
    mark: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any] | None]
