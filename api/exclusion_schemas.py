"""What the API takes and answers about relevance, field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import MentionOut, Out, ShareOut
from escucha.query.parse import LONGEST

Kind = Literal["query", "author", "site"]


class ExclusionIn(BaseModel):
    """What a brand does not want."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    kind: Kind = Field(description="query (docs/query-language.md), author (a handle or id) or site (a host).")
    value: str = Field(
        min_length=1, max_length=LONGEST,
        description="The query; mastodon:@ana@social.example, or without a source for all; example.com/blog.",
    )
    refuse: bool = Field(False, description="true: such mentions are not even collected from now on.")


class ExclusionOut(Out):
    """An exclusion. `hidden` mentions are hidden by it; `waits`: it has not been put to all the stored ones yet."""

    id: int
    kind: Kind
    value: str
    refuse: bool
    waits: bool
    hidden: int


class SuggestionOut(Out):
    """An exclusion that could be made: `count` mentions of it were found not relevant by persons."""

    kind: Kind
    value: str
    count: int


class ExclusionsOut(Out):
    """A brand's exclusions, the oldest first; `by_persons` mentions were hidden one by one."""

    items: list[ExclusionOut]
    by_persons: int
    suggested: list[SuggestionOut]


class ExclusionTrialOut(Out):
    """What an exclusion would hide of the `stored` mentions that are shown.

    `share` is of all of them (`whole`) or of the newest alone, and `foreseen` what that comes to; `wide`: it is half of
    them or more. `examples` are the newest.
    """

    stored: int
    share: ShareOut
    whole: bool
    foreseen: int
    wide: bool
    examples: list[MentionOut]


class RelevanceIn(BaseModel):
    """What a person says of a mention."""

    model_config = ConfigDict(extra="forbid", strict=True)

    relevant: bool = Field(description="false hides it; true shows it whatever the exclusions say.")
