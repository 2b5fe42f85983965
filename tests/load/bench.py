"""`make bench`: how fast we are beside a FastAPI peer that does the same work, and whether our floors are kept.

    python -m tests.load.bench [--only list,detail,write,cart,limits,store,events,cosmos,checkout,hot,catalogue,start]
                               [--quick]

`import` (a feed of 100,000 rows, about two minutes) runs only when it is named: `make bench ONLY=import`.

Both servers share one core, the load comes from another; rounds alternate between the two, so that what the machine
does meanwhile meets both alike. Trust ratios of one run, not figures of two. Exit code 1 when a floor is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from infra.local.valkey import start as start_valkey
from tests.load.catalogue import catalogue
from tests.load.checkout import checkout
from tests.load.cosmos import cosmos
from tests.load.events import events
from tests.load.feed import feed_import
from tests.load.hot_product import hot_product
from tests.load.limiting import limiting
from tests.load.machine import cores, describe, pin
from tests.load.pairs import compare
from tests.load.report import FOLDER, Findings, table, write
from tests.load.session import Session
from tests.load.start import start
from tests.load.storage import storage

NAMED: Final = ("import",)  # takes too long for every run
PARTS: Final = (
    "list",
    "detail",
    "write",
    "cart",
    "limits",
    "store",
    "events",
    "cosmos",
    "checkout",
    "hot",
    "catalogue",
    "start",
)
_PAIRS: Final = frozenset({"list", "detail", "write", "cart"})


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; answers the exit code."""
    options = _options(arguments)
    where, machine = cores(), describe()
    pin(where.load)
    findings = Findings(machine)
    if not where.apart:
        findings.remarks.append("Only one core: the load generator took its share of the servers' time.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="run-") as folder:
        valkey = start_valkey(Path(folder) / "valkey")
        try:
            _run(Session(Path(folder), valkey.url, where, findings, options.only, options.quick))
        finally:
            valkey.stop()
    print(table(findings))
    print("\n" + "\n".join(f"written: {path}" for path in write(findings)))
    missed = findings.missed()
    for check in missed:
        print(f"MISSED: {check.what}", file=sys.stderr)
    return 1 if missed else 0


def _run(session: Session) -> None:
    if "start" in session.only:
        start(session)
    if session.only & _PAIRS:
        compare(session)
    if "limits" in session.only:
        limiting(session)
    if "store" in session.only:
        storage(session)
    if "events" in session.only:
        events(session)
    if "cosmos" in session.only:
        cosmos(session)
    if "checkout" in session.only:
        checkout(session)
    if "hot" in session.only:
        hot_product(session)
    if "catalogue" in session.only:
        catalogue(session)
    if "import" in session.only:
        feed_import(session)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.bench", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument(
        "--only",
        type=_parts,
        default=frozenset(PARTS),
        help=f"some of {','.join(PARTS)}; by name alone: {','.join(NAMED)}",
    )
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that it works")
    return parser.parse_args(arguments)


def _parts(text: str) -> frozenset[str]:
    parts = frozenset(text.split(","))
    if not parts <= {*PARTS, *NAMED}:
        raise argparse.ArgumentTypeError(f"there is only {', '.join((*PARTS, *NAMED))}")
    return parts


if __name__ == "__main__":
    raise SystemExit(main())
