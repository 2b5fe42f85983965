"""`make bench`: how fast we are beside a FastAPI peer that does the same work, and whether our floors are kept.

    python -m tests.load.bench [--only list,detail,write,store,catalogue,start] [--quick]

Both servers share one core, the load comes from another; rounds alternate between the two, so that what the machine
does meanwhile meets both alike. Trust ratios of one run, not figures of two. Exit code 1 when a floor is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from infra.local.valkey import start
from tests.load import pairs
from tests.load.machine import cores, describe, pin
from tests.load.report import FOLDER, Findings, table, write

PARTS: Final = ("list", "detail", "write", "store", "catalogue", "start")
_PAIRS: Final = frozenset({"list", "detail", "write", "start"})


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; answers the exit code."""
    options = _options(arguments)
    where = cores()
    pin(where.load)
    findings = Findings(describe())
    if not where.apart:
        findings.remarks.append("Only one core: the load generator took its share of the servers' time.")
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    FOLDER.mkdir(exist_ok=True)
    plan = pairs.Plan(rounds=3, seconds=0.5, warm_up=0.3) if options.quick else pairs.Plan()
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="run-") as folder:
        valkey = start(Path(folder) / "valkey")
        try:
            if options.only & _PAIRS:
                pairs.compare(Path(folder), valkey.url, where, options.only, plan, findings, say)
        finally:
            valkey.stop()
    print(table(findings))
    print("\n" + "\n".join(f"written: {path}" for path in write(findings)))
    missed = findings.missed()
    for check in missed:
        print(f"MISSED: {check.what}", file=sys.stderr)
    return 1 if missed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.bench", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--only", type=_parts, default=frozenset(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that it works")
    return parser.parse_args(arguments)


def _parts(text: str) -> frozenset[str]:
    parts = frozenset(text.split(","))
    if not parts <= set(PARTS):
        raise argparse.ArgumentTypeError(f"there is only {', '.join(PARTS)}")
    return parts


if __name__ == "__main__":
    raise SystemExit(main())
