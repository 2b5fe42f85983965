"""A process that writes into a store and says so: `python -m tests.platform.store.child <task> <folder> <name>`."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import sys
from pathlib import Path

from handlers.platform.store.port import Create, DocumentExists, DocumentStore, Patch, StoreUnavailable
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.store.adapters import CONTAINERS, thing

CALLERS = 8


def say(*words: object) -> None:
    """One line for the parent, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def pairs(store: DocumentStore, name: str) -> None:
    """Writes orders with their events for ever; says which are acknowledged."""

    async def caller(number: int) -> None:
        for turn in range(10**9):
            owner = f"{name}-{number}-{turn}"
            order, event = thing("order", owner, text="x" * 700), thing("event", owner, kind="outbox", text="y" * 700)
            await store.batch("things", owner, [Create(order), Create(event)])
            say(owner)

    await asyncio.gather(*map(caller, range(CALLERS)))


async def count(store: DocumentStore, name: str) -> None:
    """Adds to a shared counter and creates documents of its own."""
    try:
        await store.write("things", Create(thing("counter", "shared", n=0)))
    except DocumentExists:
        say("joined")

    async def caller(number: int) -> None:
        for turn in range(25):
            await store.write("things", Patch("counter", increments={"n": 1}), partition="shared")
            await store.write("things", Create(thing(f"{number}-{turn}", name)))

    await asyncio.gather(*map(caller, range(CALLERS)))


async def fill_file(store: DocumentStore, folder: Path) -> None:
    """Writes until the file may not grow, then goes on when it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = largest(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 400_000, hard))
    await fill(store)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await store.write("things", Create(thing("after")))
    say("after")


def largest(folder: Path) -> int:
    """Bytes of the largest file."""
    return max(file.stat().st_size for file in folder.iterdir())


async def fill_pages(store: SqliteStore) -> None:
    """The same by SQLite's own limit, which is what it says when the disk is full."""

    def limit(pages: int) -> None:
        def run(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        store._writer.submit([run])

    limit(200)
    await fill(store)
    limit(1_000_000)
    await store.write("things", Create(thing("after")))
    say("after")


async def fill(store: DocumentStore) -> None:
    """Writes batches of two large documents until one fails."""
    for number in range(1000):
        rows = [thing(f"{number}-{half}", text="x" * 9000) for half in "ab"]
        try:
            await store.batch("things", "ann", [Create(row) for row in rows])
        except StoreUnavailable as error:
            say("failed", number, type(error).__name__, error)
            return
        say("written", number)


async def main(task: str, folder: Path, name: str) -> None:
    """Does the task."""
    store = SqliteStore.open(folder / "documents.sqlite3", CONTAINERS)
    say("open")
    match task:
        case "pairs":
            await pairs(store, name)
        case "count":
            await count(store, name)
        case "fill_file":
            await fill_file(store, folder)
        case "fill_pages":
            await fill_pages(store)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
