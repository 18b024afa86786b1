"""Tries a watch before it is saved: the first mentions it would bring, and what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import collectors
from escucha.brand import Brand, Query
from escucha.errors import EscuchaError
from escucha.mention import Mention
from escucha.source import Estimate, Estimates, Refusal
from pipeline.pull import Order, admitted, unknown

SHOWN = 10
PAGES = 5
"""Requests of a trial, about: what has not come by then is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a watch would bring: its first mentions, items refused or left out on purpose, and what went wrong.

    `estimate` is what a paid source counted, where it can. `cost` is what all of it cost, in US dollars.
    """

    mentions: tuple[Mention, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    passed: int = 0
    cost: float = 0.0
    estimate: Estimate | None = None
    problem: EscuchaError | None = None


def try_watch(order: Order, now: datetime) -> Trial:
    """Ask the source as a first run would, and stop at ten mentions; nothing is stored."""
    trial = Trial()
    try:
        source = collectors.open_source(order.source, order.web, order.keys)
        for number, page in enumerate(source.pages(replace(order.query, most=SHOWN), None), 1):
            clean = admitted(page, now)
            trial = Trial(
                mentions=(*trial.mentions, *clean.mentions)[:SHOWN], refusals=(*trial.refusals, *clean.refusals),
                passed=trial.passed + clean.passed, cost=trial.cost + clean.cost, problem=clean.doubt,
            )
            if len(trial.mentions) >= SHOWN or number >= PAGES:
                break
        if isinstance(source, Estimates) and trial.problem is None:
            counted = source.estimate(order.query)
            trial = replace(trial, estimate=counted, cost=trial.cost + counted.asking)
    except EscuchaError as error:
        return replace(trial, problem=error)
    except Exception as error:  # a collector's own mistake must not stop the page
        return replace(trial, problem=unknown(order.source, error, order.keys))
    return trial


def query_for(brand: Brand, source: str, text: str, terms: tuple[str, ...] = (), everything: bool = False) -> Query:
    """What to ask a source for. Raises Invalid for a query that a source which searches cannot be asked.

    Where it cannot search by itself, and not all that comes is about the brand anyway, the brand's own names are what
    to keep, unless the user says otherwise.
    """
    facts = collectors.facts(source)
    collectors.asking(source, text)
    own = (brand.name, *brand.aliases)
    takes_all = everything or facts.searches or facts.pushed or facts.own
    return Query(text=text.strip(), terms=terms or (() if takes_all else own))
