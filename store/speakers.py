"""The people who spoke of a brand, from the roll-up of authors and months."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.speaker import Speaker
from store.authors import author
from store.tables import AuthorRow, AuthorTallyRow


def speakers(
    session: Session, brand: Brand, since: date, until: date, followers: tuple[int, int], limit: int = 50
) -> list[Speaker]:
    """Authors with that many followers (both included) who spoke in the months of these days, the most positive first.

    Whose followers are unknown is not among them: unknown is not 0.
    """
    n, positive, negative, engagement = (
        func.sum(column).label(column.key)
        for column in (AuthorTallyRow.n, AuthorTallyRow.positive, AuthorTallyRow.negative, AuthorTallyRow.engagement)
    )
    query = (
        select(AuthorRow.id, n, positive, negative, engagement)
        .join(AuthorTallyRow, AuthorTallyRow.author_id == AuthorRow.id)
        .where(AuthorTallyRow.brand_id == brand.id, AuthorTallyRow.month >= since.replace(day=1),
               AuthorTallyRow.month <= until, AuthorRow.followers.between(*followers))
        .group_by(AuthorRow.id).order_by(positive.desc(), n.desc(), AuthorRow.id).limit(limit)
    )  # fmt: skip
    rows = session.execute(query).all()
    people = {row.id: row for row in session.scalars(select(AuthorRow).where(AuthorRow.id.in_([r.id for r in rows])))}
    return [
        Speaker(source=people[row.id].source, author=author(people[row.id]), n=row.n, positive=row.positive,
                negative=row.negative, engagement=row.engagement)
        for row in rows
    ]
