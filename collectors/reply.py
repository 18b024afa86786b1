"""What somebody wrote in a mail themselves, without the mail that they answer and without their signature."""

from __future__ import annotations

import re

from collectors.plain import MOST_TAGS, plain
from collectors.shallow import shallow

_OLDER = "#divRplyFwdMsg, #appendonsend"
"""What follows these marks is an older mail."""
_FOREIGN = (
    "blockquote, .gmail_quote, .gmail_attr, .gmail_signature, .moz-cite-prefix, .moz-signature, .yahoo_quoted, "
    "#Signature, #ms-outlook-mobile-signature"
)
_FORWARDED = re.compile(r"[-\s]*(mensaje reenviado|forwarded message|mensagem (re)?encaminhada)[-\s:]*", re.I)
_ORIGINAL = re.compile(r"[-_*\s]*(mensaje original|original message|mensagem original)[-_*\s:]*", re.I)
_HEADER = re.compile(r"\*?(de|from|remetente)\s?:\*?\s*\S.*", re.I)
_HEADERS = re.compile(
    r"\*?(de|from|remetente|enviad[oa]|sent|fecha|date|data|para|to|asunto|subject|assunto|cc)(\s(el|em))?\s?:", re.I
)
_WROTE = re.compile(r".*\b(escribió|wrote|escreveu)\s?:", re.I | re.S)
_BEGINS = re.compile(r"(el|on|em|a|no dia)\s", re.I)
_SENT_FROM = re.compile(
    r"(enviado (desde (mi|el)|do meu|pelo)|sent from my|(obtener|get|obter o) outlook (para|for))\b.*", re.I
)


def own_words(text: str) -> str:
    """The text without quoted lines, what an older mail says below, and the signature.

    A forwarded mail is kept: somebody sends it on because of what it says. So is a text of which nothing would remain.
    """
    lines = text.splitlines()
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        wrote = _attribution(lines, at)
        if wrote and not _is_quoted(lines, at + wrote):
            break
        if _ORIGINAL.fullmatch(line) or _heads_a_mail(lines, at) or line == "--" or lines[at].rstrip("\r") == "-- ":
            break
        if _FORWARDED.fullmatch(line):
            at += 1 + _headers(lines, at + 1)
            continue
        if not (wrote or line.startswith(">") or _SENT_FROM.fullmatch(line)):
            kept.append(lines[at].rstrip())
        at += wrote or 1
    return _tidy(kept) or _tidy([line.lstrip("> ") for line in lines])


def own_words_in(html: str) -> str:
    """The same for a mail written in HTML, where quotes and signatures carry the names that mail programs give them."""
    everything = plain(html)
    if html.count("<") > MOST_TAGS:
        return own_words(everything)
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(shallow(html))
    while (mark := page.css_first(_OLDER)) is not None:
        while (following := mark.next) is not None:
            following.decompose()
        mark.decompose()
    while (node := page.css_first(_FOREIGN)) is not None:  # one at a time: what lies within goes with it
        node.decompose()
    return own_words(plain(page.html or "") or everything)


def _attribution(lines: list[str], at: int) -> int:
    """How many lines "On Monday, … Ana <ana@x> wrote:" takes here: one to three, or none."""
    if not lines[at].strip():
        return 0
    longest = 3 if _BEGINS.match(lines[at].strip()) else 1
    for count in range(1, longest + 1):
        said = " ".join(line.strip() for line in lines[at : at + count])
        if _WROTE.fullmatch(said) and (re.search(r"\d|@", said) or _is_quoted(lines, at + count)):
            return count
    return 0


def _is_quoted(lines: list[str], at: int) -> bool:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at < len(lines) and lines[at].lstrip().startswith(">")


def _heads_a_mail(lines: list[str], at: int) -> bool:
    """Whether the headers of an older mail begin here, as Outlook puts them: From, Sent, To, Subject."""
    return bool(_HEADER.fullmatch(lines[at].strip())) and _headers(lines, at) >= 3


def _headers(lines: list[str], at: int) -> int:
    """How many lines with headers follow each other here."""
    count = 0
    while at + count < len(lines) and _HEADERS.match(lines[at + count].strip()):
        count += 1
    return count


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
