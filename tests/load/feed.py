"""The import of a large feed, whole: the real command over a feed file, into the demo shop, beside nothing else."""

from __future__ import annotations

import csv
import re
import resource
import subprocess
import time
from pathlib import Path
from typing import Final

from infra.contract.bundle import ROOT
from infra.local.demo import synthetic
from tests.load import seed
from tests.load.machine import children_on
from tests.load.report import Check, Line
from tests.load.servers import environment
from tests.load.session import Session

ROWS: Final = 100_000
SECONDS: Final = 120.0
_COLUMNS: Final = ("category_slug", "sku", "name", "slug", "description", "brand", "amount", "status", "on_hand")
_SAID: Final = re.compile(r"^([\d,]+) products imported, 0 were there, 0 lines rejected", re.MULTILINE)


def feed_import(session: Session) -> None:
    """Runs `make import` over a feed; adds what it found. Raises `RuntimeError` unless every row became a product."""
    rows = 1_000 if session.quick else ROWS
    folder = session.room("import")
    seed.fill(folder, products=0, users=1)
    feed = (folder / "feed.csv").absolute()
    _write(feed, rows)
    session.say(f"import of {rows:,} rows")
    # Where it works is set as for a server; port and role do not matter to it.
    environ = environment(folder.absolute(), session.redis_url, 0, "all")
    with children_on(session.cores.server):
        started, before = time.perf_counter(), _cpu()
        done = subprocess.run(
            ["make", "--no-print-directory", "import", f"FILE={feed}"],
            cwd=ROOT,
            env=environ,
            check=False,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - started
    cpu = _cpu() - before
    said = _SAID.search(done.stdout)
    if done.returncode != 0 or said is None or int(said[1].replace(",", "")) != rows:
        raise RuntimeError(f"the import did not take every row:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    findings = session.findings
    values = {"seconds": seconds, "CPU seconds": cpu, "rows/s": rows / seconds}
    findings.lines.append(Line(f"import of {rows:,} rows", "ours", values))
    findings.checks.append(Check(f"import of {rows:,} rows", seconds, SECONDS, "s", "at most"))


def _cpu() -> float:
    """CPU seconds of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*_COLUMNS, "attribute:color", "attribute:material"))
        for product in synthetic.products(rows):
            values = {**product, "amount": product["price"]["amount"], "on_hand": product["variants"][0]["stock"]}
            attributes = product["attributes"]
            writer.writerow([*(values[name] for name in _COLUMNS), attributes["color"], attributes["material"]])
