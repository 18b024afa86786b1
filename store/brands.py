"""The brands we listen for."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.errors import Conflict, NotFound
from store import removal
from store.tables import BrandRow, MentionRow


def all_brands(session: Session) -> list[Brand]:
    """Every brand, by name."""
    return [_brand(row) for row in session.scalars(select(BrandRow).order_by(BrandRow.name))]


def get(session: Session, slug: str) -> Brand:
    """The brand of that slug. Raises NotFound, naming those that exist."""
    row = session.scalar(select(BrandRow).where(BrandRow.slug == slug))
    if row is None:
        known = ", ".join(session.scalars(select(BrandRow.slug).order_by(BrandRow.slug))) or "—"
        raise NotFound("There is no brand {slug}. Known brands: {known}.", slug=slug, known=known)
    return _brand(row)


def hold(session: Session, brand_id: int | None) -> None:
    """Let nobody else change what hangs on a brand until the transaction ends (PostgreSQL; SQLite has one writer)."""
    session.execute(select(BrandRow.id).where(BrandRow.id == brand_id).with_for_update(key_share=True))


def by_id(session: Session, brand_id: int) -> Brand:
    """The brand of that id. Raises NotFound."""
    row = session.get(BrandRow, brand_id)
    if row is None:
        raise NotFound("There is no brand with the number {id}.", id=brand_id)
    return _brand(row)


def add(session: Session, brand: Brand) -> Brand:
    """Save a new brand; the same with its id. Raises Conflict if the slug is taken."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else pg_insert
    row = session.execute(
        insert(BrandRow)
        .values(
            slug=brand.slug, name=brand.name, aliases=list(brand.aliases), rivals=list(brand.rivals),
            languages=list(brand.languages), timezone=brand.timezone, sample=brand.sample,
        )
        .on_conflict_do_nothing()
        .returning(BrandRow.id)
    ).one_or_none()
    if row is None:
        raise Conflict("The brand {slug} exists already. Choose another short name.", slug=brand.slug)
    return get(session, brand.slug)


def remove_sample(session: Session) -> int:
    """Remove the sample brands with all that was heard about them; how many mentions went."""
    sample = select(BrandRow.id).where(BrandRow.sample)
    heard = session.scalars(select(MentionRow.id).where(MentionRow.brand_id.in_(sample))).all()
    removed = removal.remove(session, heard)
    session.execute(delete(BrandRow).where(BrandRow.sample))
    return removed


def _brand(row: BrandRow) -> Brand:
    return Brand(
        id=row.id, slug=row.slug, name=row.name, aliases=tuple(row.aliases), rivals=tuple(row.rivals),
        languages=tuple(row.languages), timezone=row.timezone, sample=row.sample,
    )
