"""The words for keys: stages, pains, sentiments, sources and languages as the reader calls them."""

from __future__ import annotations

from dataclasses import dataclass

from api.i18n import DEFAULT, N_, Reader
from escucha.journey import NO_LABEL, Catalogue, Entry

SENTIMENT = {"positive": N_("Positive"), "neutral": N_("Neutral"), "negative": N_("Negative")}
SIGN = {"positive": "+", "neutral": "○", "negative": "−"}
FIELD = {
    "source": N_("Source"), "lang": N_("Language"), "stage": N_("Stage"), "sentiment": N_("Sentiment"),
    "pain": N_("Pain point"), "touchpoint": N_("Touchpoint"), "q": N_("Search"),
    "review": N_("To check"), "copies": N_("Copies"), "cluster": N_("Copies"), "hidden": N_("Relevance"),
}
ABSENT = {"stage": N_("No stage"), "pain": N_("No pain point"), "touchpoint": N_("No touchpoint")}
KIND = {
    "post": N_("post"), "comment": N_("comment"), "review": N_("review"), "article": N_("article"),
    "message": N_("message"), "survey": N_("survey"),
}
PERIOD = {
    "today": N_("Today"), "yesterday": N_("Yesterday"), "7d": N_("Last 7 days"), "28d": N_("Last 28 days"),
    "30d": N_("Last 30 days"), "90d": N_("Last 90 days"), "month": N_("This month"), "year": N_("This year"),
    "all": N_("All time"), "custom": N_("Custom"),
}
SOURCE = {
    "rss": "RSS", "file": N_("File"), "reviews": N_("Reviews"), "survey": N_("Survey"), "webforum": N_("Forum"),
    "mailbox": N_("Mailbox"),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """Looks words up for one reader."""

    reader: Reader
    catalogue: Catalogue

    def of(self, field: str, key: str) -> str:
        """The word for a key of a field; a key that is in no taxonomy any more stands for itself."""
        if field == "sentiment":
            return self.reader.say(SENTIMENT.get(key, key))
        if field == "lang":
            return self.reader.language(key)
        if field == "source":
            return self.reader.say(SOURCE[key]) if key in SOURCE else key.replace("_", " ").capitalize()
        if field in ABSENT and key == NO_LABEL:
            return self.reader.say(ABSENT[field])
        entries: dict[str, tuple[Entry, ...]] = {
            "stage": self.catalogue.stages, "pain": self.catalogue.pains, "touchpoint": self.catalogue.touchpoints,
        }
        found = next((entry for entry in entries.get(field, ()) if entry.key == key), None)
        return self.word(found.label) or key if found else key

    def word(self, words: dict[str, str]) -> str:
        """A taxonomy's own word in the reader's language, or in Spanish where it lacks one."""
        return words.get(self.reader.lang) or words.get(DEFAULT) or next(iter(words.values()), "")

    def field(self, field: str) -> str:
        """The name of a filter."""
        return self.reader.say(FIELD[field])

    def kind(self, kind: str) -> str:
        """The name of a kind of mention."""
        return self.reader.say(KIND.get(kind, kind))

    def period(self, period: str) -> str:
        """The name of a period."""
        return self.reader.say(PERIOD[period])
