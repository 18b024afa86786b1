"""What the acts of the audit are called, and what is counted of them."""

from __future__ import annotations

from collections.abc import Mapping

from api.i18n import N_

ACTS: Mapping[str, str] = {
    "export": N_("account given"), "block": N_("person blocked"), "unblock": N_("person unblocked"),
    "erase": N_("person erased"), "delete": N_("mentions deleted"), "night": N_("kept no longer"),
}
COUNTS: Mapping[str, str] = {
    "mentions": N_("mentions"), "quoted": N_("raw answers of others"), "raws": N_("raw answers"),
    "lines": N_("lines of ledgers"), "drifts": N_("counts set right"),
}
