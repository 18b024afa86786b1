"""Which language a text is in — or an honest "cannot tell" for an emoji, a link or a single word."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from escucha.enrichment import UNDETERMINED, Enrichment, Label
from escucha.errors import ConfigError
from escucha.text import storable
from nlp.chain import ModelOptions
from nlp.tongues import LANGUAGES, Tongues

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

NEIGHBOURS = LANGUAGES
"""Told apart besides the configured ones, so that a French text is called French and not the nearest of ours."""
SURE = 0.8
"""A neighbour's name is taken only when it is this sure: few words of Spanish look Italian ("no sirve la app"). On the
first four words of umsab's dev tweets this raises accuracy from .924 to .958, on whole ones from .988 to .990."""
READ = 500
"""Characters that are read: enough to be sure, and a long review costs no more than a tweet."""
_NOISE = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|\S+@\S+|<\w+>", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[a-zA-ZªºÀ-ɏ]")
_LATIN_ONLY = frozenset({"es", "en", "pt", "fr", "it", "de", "ca", "gl", "eu", "nl", "pl", "ro", "sv", "da", "no"})


class Ranking(Protocol):
    """What ranks languages for a text."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Languages with their probabilities, the likeliest first."""
        ...


class Language:
    """Gives `lang` by py3langid's model, restricted to the configured languages and their neighbours.

    Raises:
        ConfigError: a configured language that py3langid does not know.
    """

    name = "language"
    needs: tuple[str, ...] = ()
    gives = ("lang",)

    def __init__(self, languages: tuple[str, ...]) -> None:
        made_from, self._identifier = _open_identifier(languages)
        self.version = f"py3langid-{made_from}-sure-{SURE}"
        self._ours = frozenset(languages)
        self._latin = frozenset(languages) <= _LATIN_ONLY

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with the language of each text, as its ISO 639-1 code or "und", and its probability."""
        return [replace(enrichment, lang=self.tell(enrichment.text)) for enrichment in batch]

    def tell(self, text: str) -> Label:
        """The language of one text; links, handles and hashtags are not read, and count only when nothing else is."""
        words = _WORD.findall(_NOISE.sub(" ", storable(text[:READ])))
        if not tellable(words, latin=self._latin):
            return Label(UNDETERMINED, 0.0)
        lang, score = choose(self._identifier.rank(" ".join(words)), self._ours)
        return Label(lang, round(float(score), 4))


def choose(ranked: Sequence[tuple[str, float]], ours: Collection[str]) -> tuple[str, float]:
    """The likeliest language, or the likeliest of the configured ones where a neighbour is not sure enough."""
    lang, score = ranked[0]
    if lang in ours or score >= SURE:
        return lang, score
    return next((guess for guess in ranked if guess[0] in ours), (lang, score))


def tellable(words: Sequence[str], *, latin: bool) -> bool:
    """Whether the words are enough to go by: two words and three letters, most of them in a script we know."""
    letters = "".join(words)
    if len(words) < 2 or len(letters) < 3:
        return False
    return not latin or 2 * len(_LATIN.findall(letters)) >= len(letters)


def open_language(options: ModelOptions) -> Language:
    """The language tagger for the configured languages."""
    return Language(options.languages)


def _open_identifier(languages: tuple[str, ...]) -> tuple[str, Ranking]:
    """What ranks the languages, and the version of py3langid whose model it is."""
    if set(languages) <= set(LANGUAGES):  # the rule; py3langid itself takes half a second to open
        tongues = Tongues()
        return tongues.made_from, tongues
    from importlib.metadata import version

    return version("py3langid"), _open_py3langid(languages)


def _open_py3langid(languages: tuple[str, ...]) -> LanguageIdentifier:
    """An object of its own: py3langid keeps its restriction in a module-wide one, and two chains can differ."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    unknown = set(languages) - set(identifier.labels)
    if unknown:
        raise ConfigError(
            "The language {lang} cannot be told apart. Take it out of the setting languages.", lang=min(unknown)
        )
    identifier.set_languages({*languages, *NEIGHBOURS})
    return identifier
