"""Cuts a text into the stretches that may each say something of their own: sentences, and clauses set against another.

Reviews and posts are written loosely (no capitals after a full stop, emoji in place of one, "pero" without a comma),
which sentence splitters made for edited text do not cut; these few expressions do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

WORDS = 2
"""Words that a stretch has at least; a shorter one joins the neighbour it is less cut off from."""

LINE, SENTENCE, CLAUSE = 3, 2, 1
"""How deep a cut is."""

_LETTER = r"[^\W\d_]"
_EMOJI = (
    "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
    "[\ufe0f\u200d\U0001f3fb-\U0001f3ff]*"
)
_KEPT = re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)]|(?<![^\s@])[^\s@]+@[^\s@]+\.\w+|[@#]\w+", re.IGNORECASE)
"""Links, addresses, handles and hashtags: never cut, and no words."""
_WORD = re.compile(rf"{_LETTER}+(?:['’-]{_LETTER}+)*")
_TITLE = re.compile(
    r"(?:^|[^\w.])(?:sr|sra|srs|sres|srta|dr|dra|ing|lic|arq|prof|profa|mr|mrs|ms|st|sto|sta|gral|av|avda|blvd|col|"
    r"núm|nro|tel|pág|art|vs|exmo|exma|[a-z])$", re.IGNORECASE,
)
"""What a full stop belongs to, whatever follows: titles, the names of streets, initials."""
_SHORT = re.compile(
    r"(?:^|\W)(?:etc|aprox|approx|ud|uds|vd|vds|min|máx|max|hrs?|cía|inc|ltd|jr|dept|dpto|depto|ej|ene|feb|mar|abr|jun|"
    r"jul|ago|sept?|oct|nov|dic|(?:\w{1,2}\.)+\w{1,2})$", re.IGNORECASE,
)
"""What a full stop belongs to unless a capital follows: EE.UU., S.A., p. ej., etc."""
_NUMBERED = re.compile(r"(?:^|\n)[ \t]*\d{1,2}$")
_LINES = re.compile(r"\s*\n\s*")
_STOP = re.compile(r"(?:\.{2,}|[.!?…])+[\"'”»)\]]*")
_GLUED = re.compile(rf"{_LETTER}{{2}}\.(?=[A-ZÁÉÍÓÚÑ]{_LETTER}*[a-záéíóúñ]|[¡¿])")
"""A full stop with no blank after it: "rica.La comida", not "EE.UU." and not "escucha.io"."""
_FEELING = re.compile(rf"(?:{_EMOJI}|(?<!\w)[:;=]['’]?-?[)(DPp/]+(?!\w))++(?=\s*[\w¡¿(\"])")
_PAUSE = re.compile(r";|\s[-–—]+(?=\s)|\s[|•·](?=\s)")
_AGAINST = (
    r"pero|aunque|sin\s+embargo|no\s+obstante|en\s+cambio|mientras\s+que|a\s+pesar\s+de|pese\s+a|s[oó]lo\s+que|(?<=,\s)eso\s+s[ií](?!\s*,)|"
    r"ahora\s+bien|por\s+otr[oa]\s+(?:lado|parte)|por\s+desgracia|lamentablemente|desgraciadamente|l[aá]stima|"
    r"but|although|though|even\s+though|however|whereas|despite|on\s+the\s+other\s+hand|unfortunately|sadly|except|"
    r"por[eé]m|contudo|todavia|no\s+entanto|s[oó]\s+que|embora|apesar\s+d[eoa]s?|em\s+compensação|por\s+outro\s+lado|"
    r"infelizmente|pena\s+que|excepto|exceto|salvo"
)
_MAS = "mas"
"""Portuguese for but, and careless Spanish for more."""
_AGAINST_IN = {True: re.compile(rf"(?<=[\s,(])(?:{_AGAINST}|{_MAS})\b", re.IGNORECASE),
               False: re.compile(rf"(?<=[\s,(])(?:{_AGAINST})\b", re.IGNORECASE)}
_SUBJECT = (
    r"(?:el|la|los|las|lo|su|sus|mi|mis|un|una|este|esta|the|my|our|their|it|they|we|i|this|a|o|os|as|ela|ele)"
)
_SAYS = (
    r"(?:es|está|están|son|fue|fueron|era|eran|estaba|estaban|estuvo|tardó|llegó|tiene|me|nos|no|nunca|muy|s[uú]per|"
    r"demasiado|un\s+poco|bastante|is|was|were|are|isn't|wasn't|could|has|had|took|never|very|too|so|"
    r"é|foi|são|estava|eram|não|muito|demorou)"
)
_NEXT = re.compile(
    rf"(?:,\s*(?:(?:y|e|and)\s+)?|\s(?:y|e|and)\s+)"
    rf"(?={_SUBJECT}\s(?:\w+\s){{1,4}}?{_SAYS}\s|(?:no|nunca|not|never|não|me|nos|se)\s)", re.IGNORECASE,
)
"""A comma or an "and" before what looks like a subject and its verb, or before a no: "y el servicio fue pésimo"."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to before `end` of a text."""

    start: int
    end: int


def spans(text: str, lang: str | None = None) -> list[Span]:
    """The stretches of a text in order, without the blanks, bullets and commas around them; none of a wordless text.

    `lang` (ISO 639-1) decides whether "mas" is a but.
    """
    masked = _KEPT.sub(lambda kept: "_" * len(kept[0]), text)
    cuts = _joined(masked, _cuts(masked, portuguese=lang == "pt"))
    edges = [0, *(at for at, _ in cuts), len(text)]
    found = [_trimmed(text, start, end) for start, end in pairwise(edges)]
    return [span for span in found if span.start < span.end]


def _cuts(text: str, *, portuguese: bool) -> list[tuple[int, int]]:
    """Where the text may be cut, and how deep, in order."""
    deepest: dict[int, int] = {}
    for at, depth in (*_sentence_cuts(text), *_clause_cuts(text, portuguese=portuguese)):
        deepest[at] = max(depth, deepest.get(at, 0))
    return sorted(deepest.items())


def _sentence_cuts(text: str) -> Iterator[tuple[int, int]]:
    yield from ((found.end(), LINE) for found in _LINES.finditer(text))
    yield from ((found.end(), SENTENCE) for found in _STOP.finditer(text) if _ends(text, found))
    yield from ((found.end(), SENTENCE) for found in _FEELING.finditer(text))


def _clause_cuts(text: str, *, portuguese: bool) -> Iterator[tuple[int, int]]:
    yield from ((found.end(), CLAUSE) for found in _PAUSE.finditer(text))
    yield from ((found.start(), CLAUSE) for found in _AGAINST_IN[portuguese].finditer(text))
    yield from ((found.start(), CLAUSE) for found in _NEXT.finditer(text))


def _ends(text: str, stop: re.Match[str]) -> bool:
    """Whether a full stop or its like ends a sentence."""
    after = text[stop.end() : stop.end() + 1]
    lone = stop[0] == "."
    if not after.isspace():
        return bool(_GLUED.match(text, stop.start() - 2)) if lone else after.isupper() or after in {"¡", "¿"}
    if not lone:
        return True
    before = text[max(0, stop.start() - 12) : stop.start()]
    follows = text[stop.end() :].lstrip()[:1]
    if _TITLE.search(before) or _NUMBERED.search(text[max(0, stop.start() - 6) : stop.start()]):
        return False
    return not _SHORT.search(before) or follows.isupper() or follows in "¡¿"


def _joined(text: str, cuts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The cuts that leave no stretch of fewer than WORDS words."""
    left = list(cuts)
    at = 0
    while left and at <= len(left):
        start = left[at - 1][0] if at else 0
        end = left[at][0] if at < len(left) else len(text)
        before = left[at - 1][1] if at else LINE + 1
        behind = left[at][1] if at < len(left) else LINE + 1
        if len(_WORD.findall(text[start:end])) >= (1 if min(before, behind) >= LINE else WORDS):
            at += 1
            continue
        drop = at - 1 if before <= behind else at
        del left[drop]
        at = drop
    return left


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    lead = len(piece) - len(piece.lstrip(" \t\r\n,;:-–—•*·|"))
    tail = len(piece.rstrip(" \t\r\n,;-–—•*·|"))
    return Span(start + lead, start + max(lead, tail))
