"""The embedded store beside a plain `sqlite3` loop, on one core and the disk of the folder.

`python -m tests.load.storage <folder> [quick]` measures and prints JSON; the bench runs it as a process of its own, on
the servers' core. Durable means the same for both: WAL, `synchronous=FULL`, told of success after the sync.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvloop

from generated.containers import CONTAINERS
from handlers.platform.store.port import Create
from handlers.platform.store.sqlite import SqliteStore
from tests.load.apart import run_apart
from tests.load.bench_store import CALLERS, NOTES, in_parallel, note
from tests.load.report import Check, Line
from tests.load.session import Session

ROUNDS: Final = 5
DOCUMENTS: Final = 20_000
Figures = dict[str, list[float]]


def storage(session: Session) -> None:
    """Measures in a process on the servers' core; adds what it found."""
    session.say("store: writes and reads, beside a plain sqlite3 loop")
    figures: Figures = run_apart(session, "tests.load.storage", str(session.room("storage")))
    middle = {name: statistics.median(values) for name, values in figures.items()}
    findings = session.findings
    for side in ("ours", "plain"):
        values = {what: middle[f"{side} {what}"] for what in ("writes/s", "reads/s")}
        findings.lines.append(Line("store", side, {**values, "grouped/s": middle.get(f"{side} grouped/s", 0.0)}))
    for what, floor in (("writes/s", 3_000.0), ("reads/s", 15_000.0)):
        runs = sorted(figures[f"ours {what}"])
        title = "durable writes, 64 callers" if what == "writes/s" else "point reads"
        findings.checks.append(Check(title, middle[f"ours {what}"], floor, "/s", spread=(runs[0], runs[-1])))
    findings.remarks.append(
        "Plain sqlite3: one row a transaction by one caller, and the same 64 rows a transaction (grouped); "
        "it keeps no indexes but the key, makes no etags and counts no request units."
    )


# --- in the process that measures -----------------------------------------------------------------------------------


async def measure(folder: Path, *, quick: bool) -> Figures:
    """Rates of each round, ours and plain in turn."""
    documents, rounds = (2_000, 2) if quick else (DOCUMENTS, ROUNDS)
    store = SqliteStore.open(folder / "ours.sqlite3", {**CONTAINERS, "notes": NOTES})
    plain = _plain(folder / "plain.sqlite3")
    figures: Figures = {}

    def add(name: str, count: int, seconds: float) -> None:
        figures.setdefault(name, []).append(count / seconds)

    try:
        for number in range(rounds):
            base, each = number * documents, documents // 10
            add("ours writes/s", each, await _our_writes(store, range(base, base + each)))
            add("plain writes/s", each // 10, _plain_writes(plain, range(base, base + each // 10), together=1))
            rows = range(base + each, base + 2 * each)
            add("plain grouped/s", each, _plain_writes(plain, rows, together=CALLERS))
            add("ours reads/s", documents, await _our_reads(store, base, each, documents))
            add("plain reads/s", documents, _plain_reads(plain, base + each, each, documents))
    finally:
        await store.close()
        plain.close()
    return figures


async def _our_writes(store: SqliteStore, numbers: range) -> float:
    started = time.perf_counter()
    await in_parallel(lambda n: store.write("notes", Create(note(numbers[n]))), len(numbers), CALLERS)
    return time.perf_counter() - started


async def _our_reads(store: SqliteStore, first: int, rows: int, count: int) -> float:
    keys = [(f"owner-{n % 997}", f"note-{n:09d}") for n in range(first, first + rows)]
    started = time.perf_counter()
    for number in range(count):
        document = await store.read("notes", *keys[number % rows])
        assert document is not None
    return time.perf_counter() - started


def _plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE notes (owner TEXT, id TEXT, doc TEXT, PRIMARY KEY (owner, id)) WITHOUT ROWID")
    return connection


def _plain_writes(connection: sqlite3.Connection, numbers: range, *, together: int) -> float:
    started = time.perf_counter()
    for at in range(0, len(numbers), together):
        connection.execute("BEGIN IMMEDIATE")
        for n in numbers[at : at + together]:
            document = note(n)
            row = (document["owner"], document["id"], json.dumps(document))
            connection.execute("INSERT INTO notes VALUES (?, ?, ?)", row)
        connection.execute("COMMIT")
    return time.perf_counter() - started


def _plain_reads(connection: sqlite3.Connection, first: int, rows: int, count: int) -> float:
    keys = [(f"owner-{n % 997}", f"note-{n:09d}") for n in range(first, first + rows)]
    started = time.perf_counter()
    for number in range(count):
        found = connection.execute("SELECT doc FROM notes WHERE owner = ? AND id = ?", keys[number % rows]).fetchone()
        assert found is not None
    return time.perf_counter() - started


if __name__ == "__main__":
    _run: Callable[..., Figures] = uvloop.run
    print(json.dumps(_run(measure(Path(sys.argv[1]), quick="quick" in sys.argv))))
