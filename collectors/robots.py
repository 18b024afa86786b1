"""Robots.txt: what a site asks programs not to read (RFC 9309), with the wildcards that most sites use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

NAME = "escucha"
MOST_BYTES = 512_000
"""Of a longer file only the beginning counts, as the standard has it."""
LONGEST_DELAY = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """The rules that a site has for us: (allowed, path pattern), and the seconds that it wants between requests."""

    rules: tuple[tuple[bool, str], ...] = ()
    delay: float = 0.0

    def allows(self, url: str) -> bool:
        """Whether a page may be read: the longest rule that fits decides, and permission wins a draw."""
        parts = urlsplit(url)
        path = _written(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
        fitting = [(len(pattern), allowed) for allowed, pattern in self.rules if _fits(pattern, path)]
        return max(fitting, default=(0, True))[1]


def read_robots(body: bytes) -> Robots:
    """The rules for Escucha, or else those for all."""
    groups: dict[str, list[tuple[str, str]]] = {}
    speaking: set[str] = set()
    ruling = False
    for name, value in _lines(body[:MOST_BYTES].decode("utf-8", "replace")):
        if name == "user-agent":
            agent = value.partition("/")[0].strip().lower()
            speaking = (set() if ruling else speaking) | ({agent} & {NAME, "*"})
            ruling = False
            if agent in speaking:
                groups.setdefault(agent, [])
        elif name in ("allow", "disallow", "crawl-delay"):
            ruling = True
            for agent in speaking:
                groups[agent].append((name, value))
    return _robots(groups.get(NAME, groups.get("*", [])))


def _lines(text: str) -> Iterable[tuple[str, str]]:
    for line in text.lstrip("\ufeff").splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        yield name.strip().lower(), value.strip()


def _robots(lines: Iterable[tuple[str, str]]) -> Robots:
    told = list(lines)
    rules = [(name == "allow", _written(value)) for name, value in told if name != "crawl-delay" and value]
    delays = [float(value) for name, value in told if name == "crawl-delay" and re.fullmatch(r"\d+(\.\d+)?", value)]
    return Robots(rules=tuple(rules), delay=min(max(delays, default=0.0), LONGEST_DELAY))


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern (`*` any characters, `$` the end) fits the path's beginning. Linear in both lengths."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for number, piece in enumerate(rest):
        last = ends and number == len(rest) - 1
        found = len(path) - len(piece) if last and path.endswith(piece) else -1 if last else path.find(piece, at)
        if found < at:
            return False
        at = found + len(piece)
    return not ends or at == len(path)


def _written(path: str) -> str:
    """One way to write a path: what must be escaped is, and nothing else."""
    return quote(unquote(path), safe="/?&=*$:@!,;+~()'%")
