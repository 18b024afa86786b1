"""What Meta's Graph does alike for Instagram, Facebook and Threads: keys, cursors, errors and common look-ups."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx

from escucha.brand import Query
from tests.collectors.fakes.upstream import SECRET, Upstream

Json = dict[str, Any]


class GraphUpstream(Upstream):
    """Objects by number, edges with cursors that stand still, and `paging.next` with the key in it, as Graph has it."""

    version: ClassVar[str] = "v25.0"
    text: ClassVar[str]
    """What the query asks for by default."""
    whole_batch: ClassVar[bool] = True
    """Whether one missing object spoils a common look-up; else it is left out."""
    words: ClassVar[str] = "text"
    """The field that holds an object's text."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=self.text)
        self.keys = {"access_token": SECRET}
        self.objects: dict[str, Json] = {}
        self.error: tuple[int, int] | None = None
        """A code and subcode to answer everything with."""

    def edit(self, item: str, text: str) -> None:
        self.objects[item][self.words] = text

    def delete(self, item: str) -> None:
        del self.objects[item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return self.wrong(190, 463, 401)
        if self.error:
            return self.wrong(*self.error)
        version, _, path = request.url.path.strip("/").partition("/")
        assert version == self.version
        assert SECRET not in str(request.url)
        asked = dict(request.url.params)
        return self.together(asked) if not path else self.at(path, asked)

    def at(self, path: str, asked: Mapping[str, str]) -> httpx.Response:
        """The answer at a path below the version."""
        raise NotImplementedError

    def one(self, identity: str) -> httpx.Response:
        """An object by its number, or Graph's answer for one that it does not show."""
        found = self.objects.get(identity)
        return self.told(found) if found else self.wrong(100, 33)

    def together(self, asked: Mapping[str, str]) -> httpx.Response:
        """Objects by their numbers, in one answer."""
        found = {i: self.objects[i] for i in asked["ids"].split(",") if i in self.objects}
        if self.whole_batch and len(found) < asked["ids"].count(",") + 1:
            return self.wrong(100, 33)
        return self.told(found)

    def told(self, answer: Any) -> httpx.Response:
        return httpx.Response(200, json=answer)

    def wrong(self, code: int, subcode: int = 0, status: int = 400) -> httpx.Response:
        """An error as Graph tells it; its message quotes the key, as that of a malformed key does."""
        error = {"message": f"Malformed access token {SECRET}", "type": "OAuthException", "code": code,
                 "error_subcode": subcode, "fbtrace_id": "A1"}
        return httpx.Response(status, json={"error": error})

    def edge(self, newest: Sequence[Json], limit: int, after: str | None) -> Json:
        """A page of objects, newest first, after a cursor, which is the place of birth of the last object before."""
        start = int(re.sub(r"\D", "", after)) if after else 10**9
        older = [entry for entry in newest if self.born(entry) < start]
        page, rest = older[:limit], older[limit:]
        if not page:
            return {"data": []}
        cursor = f"QVFI{self.born(page[-1])}"
        paging: Json = {"cursors": {"before": "QVFI0", "after": cursor}}
        if rest:
            paging["next"] = f"https://graph.facebook.com/v25.0/x?access_token={SECRET}&after={cursor}"
        return {"data": page, "paging": paging}

    def born(self, entry: Json) -> int:
        """The place of an object in the order of birth."""
        return int(str(entry["id"]).rpartition("_")[2][-6:])

    def limit(self, fields: str, edge: str) -> int:
        """The limit that a field expansion sets for an edge within it."""
        found = re.search(rf"\b{edge}(?:\.\w+\(\w*\))*?\.limit\((\d+)\)", fields)
        assert found, fields
        return int(found[1])
