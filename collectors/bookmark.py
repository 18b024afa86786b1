"""Where a source left off: a cursor that belongs to the query it was written for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from escucha.brand import Query
from escucha.source import Cursor


def bookmark(query: Query, **notes: Any) -> Cursor:
    """A cursor with the source's notes, bound to the query."""
    return {"query": _fingerprint(query), **notes}


def notes_of(query: Query, cursor: Cursor | None) -> Mapping[str, Any]:
    """The notes of a cursor, or none where the query has changed since: then everything is to be read again."""
    return cursor if cursor and cursor.get("query") == _fingerprint(query) else {}


def _fingerprint(query: Query) -> str:
    asked = [query.text, sorted(query.terms), *([query.since.isoformat()] if query.since else [])]
    return sha256(json.dumps(asked).encode()).hexdigest()[:16]
