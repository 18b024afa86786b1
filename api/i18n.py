"""Says everything in the reader's language: sentences from the catalogues, numbers and dates as they write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from escucha.errors import EscuchaError, fill

LANGUAGES: dict[str, str] = {"es": "Español", "en": "English"}
DEFAULT = "es"
DOMAIN = "escucha"
LOCALES = Path(__file__).parent / "dashboard" / "locales"
NUMBERS = {"es": "es_MX", "en": "en_US"}
NOTHING = "—"


def N_(msgid: str) -> str:
    """Mark a message for the catalogue where it is written; it is translated where it is shown."""
    return msgid


@lru_cache
def _catalogue(lang: str) -> Any:
    """The translations of one language; the msgids are English, so English has no catalogue."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import NullTranslations, Translations

    path = LOCALES / lang / "LC_MESSAGES" / f"{DOMAIN}.po"
    if lang not in LANGUAGES or not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=lang, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def gettext(msgid: str, lang: str) -> str:
    """The message in that language, or as it stands where no translation exists."""
    return str(_catalogue(lang).gettext(msgid)) if msgid else ""


def ngettext(singular: str, plural: str, n: int, lang: str) -> str:
    """The message in the right number."""
    return str(_catalogue(lang).ngettext(singular, plural, n))


def translate(error: EscuchaError, lang: str) -> str:
    """What went wrong, in a sentence the reader understands: the template is translated, then filled in."""
    return fill(gettext(error.message, lang), error.details)


def preferred(accept_language: str | None, default: str = DEFAULT) -> str:
    """The first of our languages that a browser's Accept-Language names, by its weights."""
    wanted = []
    for position, part in enumerate((accept_language or "").split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), position, tag.split("-")[0].lower()))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(wanted) if tag in LANGUAGES), default)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads one of our languages: sentences, numbers and dates the way they write them."""

    lang: str

    @property
    def locale(self) -> str:
        """Babel's locale for numbers and dates (es_MX writes 1,234.5)."""
        return NUMBERS.get(self.lang, NUMBERS[DEFAULT])

    def say(self, msgid: str, /, **values: Any) -> str:
        """A sentence with its `{values}` filled in."""
        return fill(gettext(msgid, self.lang), values)

    def say_many(self, singular: str, plural: str, n: int, /, **values: Any) -> str:
        """A sentence in the right number; `{n}` is the number as written."""
        return fill(ngettext(singular, plural, n, self.lang), {"n": self.number(n), **values})

    def number(self, value: float | None, digits: int = 0) -> str:
        """1,234.5 or — for what is not known."""
        from babel.numbers import format_decimal

        if value is None:
            return NOTHING
        return format_decimal(round(value, digits) + 0.0, format="#,##0" + ("." + "0" * digits if digits else ""),
                              locale=self.locale)

    def signed(self, value: float | None, digits: int = 0) -> str:
        """+12, −3 or 0, with a true minus sign; — for what is not known."""
        if value is None:
            return NOTHING
        rounded = round(value, digits) + 0.0
        sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
        return sign + self.number(abs(rounded), digits)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A proportion (0..1) as 12 %."""
        return NOTHING if share is None else f"{self.number(100 * share, digits)} %"

    def day(self, day: date, form: str = "medium") -> str:
        """22 nov 2026; `form` is one of babel's or a pattern such as "d MMM"."""
        from babel.dates import format_date

        return format_date(day, format=form, locale=self.locale)

    def moment(self, at: datetime, zone: tzinfo, now: datetime) -> str:
        """10:42 for today, otherwise 21 nov 10:42, with the year where it is another one."""
        from babel.dates import format_datetime

        local, today = at.astimezone(zone), now.astimezone(zone).date()
        if local.date() == today:
            return f"{local:%H:%M}"
        pattern = "d MMM HH:mm" if today - local.date() < timedelta(days=300) else "d MMM y"
        return format_datetime(local, pattern, locale=self.locale)

    def language(self, code: str) -> str:
        """A language's name as the reader calls it: español, inglés; the code itself where it has none."""
        from babel import Locale

        if code == "und":
            return self.say("not determined")
        return str(Locale.parse(self.locale).languages.get(code, code))
