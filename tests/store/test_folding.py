"""The databases fold letters as Escucha does."""

from __future__ import annotations

from random import Random

from sqlalchemy import insert, select

from escucha.text import fold, storable
from store.engine import Store
from store.folding import folded, is_one_of
from store.tables import AuthorRow

LETTERS = [*map(chr, range(32, 127)), *map(chr, range(160, 0x250)), *map(chr, range(0x300, 0x330)),
           *map(chr, range(0x370, 0x460)), "ẞ", "\u3000", "\u2028", "ﬁ", "™", "ℌ", "日", "👍🏽", "ｱ", "\t"]
GIVEN = ("", "Ana", "ana  lópez", "ÑANDÚ", "n\u0303", "STRASSE", "ΣΟΦΟΣ", "İstanbul", "ͺ", " ")


def test_a_column_folds_as_a_text_does(store: Store) -> None:
    dice = Random(7)
    texts = {storable("".join(dice.choice(LETTERS) for _ in range(dice.randint(0, 9)))) for _ in range(400)}
    rows = [{"source": "x", "key": str(place), "handle": text} for place, text in enumerate(sorted(texts | {*GIVEN}))]
    handle = AuthorRow.handle
    with store.write() as session:
        session.execute(insert(AuthorRow), rows)
        found = session.execute(select(handle, folded(store.dialect, handle))).all()
        same = set(session.scalars(select(handle).where(is_one_of(store.dialect, handle, ["ana", "ñandu"]))))
    assert len(found) > 300
    assert [pair for pair in found if fold(pair[0]) != pair[1]] == []
    assert same == {"Ana", "ÑANDÚ"}
