"""What is lost and what is repeated when a collecting process is killed 500 times, wherever it was.

`--cycles` and `--postgresql-cycles` say how often on which database.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.pipeline.killing import Report, kill_cycles
from tests.postgres import postgres_server


def figures(report: Report) -> dict[str, Any]:
    """The report with what matters first."""
    told = report.told()
    sources = told.pop("sources")
    return {"clean": report.clean, "lost": report.faults["lost"], "repeated": report.faults["repeated"],
            "ledger_violations": report.faults["ledger"], **told, "sources": sources}


def main() -> None:
    """The cycles, on both databases where a server answers; 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--postgresql-cycles", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_server() as postgres:
        urls = {"sqlite_full": (f"sqlite:///{Path(folder) / 'killed.db'}", asked.cycles),
                "postgresql": (postgres, asked.postgresql_cycles)}
        for name, (url, cycles) in urls.items():
            where = Path(folder) / name
            where.mkdir()
            found[name] = figures(kill_cycles(url, where, cycles, seed=asked.seed)) if url else "no server"
    print(json.dumps({"kills": found}, indent=2))
    if any(told != "no server" and not told["clean"] for told in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
