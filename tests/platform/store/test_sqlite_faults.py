"""The embedded store in trouble: full disk, broken file, locked file. A clear error, and nothing half-written."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from handlers.platform.store.port import Create, OutcomeUnknown, Query, StoreUnavailable
from handlers.platform.store.sqlite import SqliteStore
from handlers.platform.store.sqlite_errors import unavailable
from handlers.platform.store.sqlite_schema import connect
from handlers.platform.store.sqlite_writer import Writer
from tests.platform.store.adapters import CONTAINERS, thing
from tests.platform.store.test_sqlite_processes import child, lines

NAME = "documents.sqlite3"


@contextmanager
def locked(path: Path, how: str) -> Iterator[None]:
    """Another connection holds the file."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(how)
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.parametrize("task", ["fill_file", "fill_pages"])
async def test_a_full_disk(tmp_path: Path, task: str) -> None:
    with child(task, tmp_path, "x") as process:
        said = list(lines(process))
        assert process.wait(60) == 0
    written = [line for line in said if line.startswith("written")]
    failed = [line for line in said if line.startswith("failed")]
    assert len(written) > 3
    assert len(failed) == 1
    assert "disk" in failed[0]
    assert "document store" in failed[0]
    assert str(tmp_path) not in failed[0]
    assert said[-1] == "after"
    store = SqliteStore.open(tmp_path / NAME, CONTAINERS)
    page = await store.query(Query("things", "ann", limit=5000))
    assert len(page.items) == 2 * len(written) + 1
    await store.close()


async def written_file(path: Path) -> None:
    """A closed file with a few pages."""
    store = SqliteStore.open(path, CONTAINERS)
    await asyncio.gather(*(store.write("things", Create(thing(f"t{n:03d}", text="x" * 2000))) for n in range(200)))
    await store.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"these are not the documents you are looking for" * 100)
    with pytest.raises(StoreUnavailable, match="not a database; restore it from a backup") as refused:
        SqliteStore.open(tmp_path / NAME, CONTAINERS)
    assert str(tmp_path) not in str(refused.value)


async def test_a_corrupt_file(tmp_path: Path) -> None:
    path = tmp_path / NAME
    await written_file(path)
    content = bytearray(path.read_bytes())
    # Everything but the header and the page of table definitions.
    content[2 * 4096 :] = random.Random(7).randbytes(len(content) - 2 * 4096)
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="corrupt; restore it from a backup"):  # noqa: PT012
        store = SqliteStore.open(path, CONTAINERS)
        try:
            await store.query(Query("things", "ann"))
        finally:
            await store.close()


async def test_a_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / NAME
    await written_file(path)
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(StoreUnavailable, match="corrupt"):  # noqa: PT012
        store = SqliteStore.open(path, CONTAINERS)
        try:
            await store.write("things", Create(thing("more", text="x" * 9000)))
            await store.query(Query("things", "ann", limit=500))
        finally:
            await store.close()


async def test_a_file_locked_by_another_writer(tmp_path: Path) -> None:
    path = tmp_path / NAME
    store = SqliteStore.open(path, CONTAINERS, busy_timeout=0.2)
    await store.write("things", Create(thing("before")))
    with locked(path, "BEGIN IMMEDIATE"):
        with pytest.raises(StoreUnavailable, match="locked by another process") as refused:
            await store.write("things", Create(thing("during")))
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.ping()
        assert await store.read("things", "ann", "before") is not None
    assert str(tmp_path) not in str(refused.value)
    await store.write("things", Create(thing("after")))
    page = await store.query(Query("things", "ann"))
    assert [document.data["id"] for document in page.items] == ["after", "before"]
    await store.close()


async def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / NAME
    store = SqliteStore.open(path, CONTAINERS, busy_timeout=10)
    with locked(path, "BEGIN IMMEDIATE"):
        write = asyncio.ensure_future(store.write("things", Create(thing())))
        await asyncio.sleep(0.2)
        assert not write.done()
    await write
    await store.close()


async def test_a_file_locked_while_opening(tmp_path: Path) -> None:
    path = tmp_path / NAME
    await written_file(path)
    with locked(path, "BEGIN IMMEDIATE"), pytest.raises(StoreUnavailable, match="locked by another process"):
        SqliteStore.open(path, CONTAINERS, busy_timeout=0.1)


async def test_a_place_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteStore.open(tmp_path / "file" / NAME, CONTAINERS)
    (tmp_path / NAME).mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteStore.open(tmp_path / NAME, CONTAINERS)


async def test_closing_finishes_what_was_accepted(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / NAME, CONTAINERS)
    writes = [asyncio.ensure_future(store.write("things", Create(thing(f"t{n}")))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert len(await asyncio.gather(*writes)) == 50
    for attempt in (store.write("things", Create(thing())), store.read("things", "ann", "t1"), store.ping()):
        with pytest.raises(StoreUnavailable, match="closed"):
            await attempt
    for hint in (True, False):
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.query(Query("things", "ann", slow=hint))


@pytest.mark.parametrize(
    ("code", "committing", "kind"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, True, OutcomeUnknown),
        (sqlite3.SQLITE_IOERR_FSYNC, False, StoreUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, True, StoreUnavailable),
        (sqlite3.SQLITE_FULL, True, StoreUnavailable),
    ],
)
def test_only_a_failed_sync_of_a_commit_is_in_doubt(code: int, committing: bool, kind: type[Exception]) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert type(unavailable(error, committing=committing)) is kind


async def test_a_fault_after_the_commit_does_not_take_it_back(tmp_path: Path) -> None:
    def fail() -> None:
        raise OSError("too many open files")

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (1)")

    def nothing(_: sqlite3.Connection) -> None:
        return

    def clean(_: sqlite3.Connection) -> bool:
        return False

    connection = connect(tmp_path / NAME, busy_timeout=1, writes=True)
    connection.execute("CREATE TABLE t (x)")
    writer = Writer(connection, busy_timeout=1, check=nothing, housekeeping=clean, committed=fail)
    assert await writer.submit([insert]) == [None]
    assert await writer.submit([insert]) == [None]
    await asyncio.wrap_future(writer.stop())


async def test_a_fault_in_one_write_hurts_no_other(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / NAME, CONTAINERS)
    good = [store.write("things", Create(thing(f"t{n}"))) for n in range(5)]
    bad = [store.write("things", Create(thing("same"))) for _ in range(3)]
    outcomes = await asyncio.gather(*good, *bad, return_exceptions=True)
    assert sum(isinstance(outcome, BaseException) for outcome in outcomes) == 2
    assert await store.count(Query("things", "ann")) == 6
    await store.close()
