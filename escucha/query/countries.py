"""The names of countries: `country:mx` finds what one source calls MX, another México, and a third Mexico."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from babel import Locale

from escucha.text import fold

LANGUAGES = ("es", "en", "pt")
"""Those in which a country is recognised, and found."""


def called(country: str) -> tuple[str, ...]:
    """What a country, folded, may be called where it is written: its code and its names, folded. What is no country is
    called as it is."""
    names = _names()
    code = country if country in names else _codes().get(country)
    return (code, *names[code]) if code else (country,)


@lru_cache(maxsize=1)
def _names() -> Mapping[str, tuple[str, ...]]:
    """The names by code (ISO 3166-1, two letters), both folded."""
    told = [
        {str(code): str(name) for code, name in Locale(language).territories.items()} for language in LANGUAGES
    ]
    codes = [code for code in told[0] if len(code) == 2 and code.isalpha() and code != "ZZ"]
    return {fold(code): tuple(dict.fromkeys(fold(names[code]) for names in told if code in names)) for code in codes}


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, str]:
    return {name: code for code, names in _names().items() for name in names}
