"""Items mapped from the recorded and handmade answers of each upstream, as JSON; and why the others were not.

    python -m benchmarks.recordings [FOLDER]

FOLDER is the folder of the recordings (default: ../shared/upstream beside the repository).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.collectors.fakes import UPSTREAMS
from tests.conftest import ROOT


def figures(folder: Path) -> dict[str, Any]:
    """For each source with recordings: items in them, mapped, refused by reason, and left out on purpose."""
    found = {}
    for name in sorted(UPSTREAMS):
        module = import_module(f"tests.collectors.fakes.{name.replace('-', '_')}")
        if not hasattr(module, "recorded"):
            found[name] = {"items": 0}
            continue
        reading = module.recorded(folder)
        reasons = Counter(refusal.why.message for refusal in reading.refusals)
        found[name] = {
            "items": reading.items, "mapped": len(reading.mentions), "refused": dict(reasons), "passed": reading.passed
        }
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "upstream"
    if not folder.is_dir():
        sys.exit(f"There are no recordings in {folder}.")
    told = figures(folder)
    total = {key: sum(one.get(key, 0) for one in told.values()) for key in ("items", "mapped", "passed")}
    refused = sum(sum(one.get("refused", {}).values()) for one in told.values())
    print(json.dumps({"sources": told, "total": {**total, "refused": refused}}, ensure_ascii=False, indent=2))
