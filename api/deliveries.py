"""Takes what is sent to a hook to where it is checked and saved, with this installation's keys."""

from __future__ import annotations

from api.assembly import open_vault, source_keys, web_options
from api.deps import House
from api.routes.hooks import HookOutcome
from escucha.source import Delivery
from pipeline.receive import receive


def received(parts: House, key: str, delivery: Delivery, /) -> HookOutcome:
    """Save a delivery; what became of it (api.routes.hooks.Receiver)."""
    settings = parts.settings
    ledger, refusals = receive(
        parts.store, open_vault(settings), source_keys(settings), web_options(settings), key, delivery, delivery.at
    )
    saved = ledger.saved
    return HookOutcome(
        new=saved.new, updated=saved.updated, duplicate=saved.duplicate, gone=ledger.gone, passed=ledger.passed,
        refused=refusals,
    )
