"""The embedded store's file: opened once and again, with other containers, and under a process left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from generated.containers import CONTAINERS as REAL
from generated.containers import Container, Index, Key
from handlers.platform.store.port import Create, Eq, Exists, Query, Sort, StoreMisuse, StoreUnavailable
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.store.adapters import THINGS, thing

BEFORE: Mapping[str, Container] = {"things": replace(THINGS, kinds={}, indexes=(Index((Key("n"),)),), filters=())}
AFTER: Mapping[str, Container] = {
    "things": replace(THINGS, kinds={}, indexes=(Index((Key("s", True),)),), filters=("flag",))
}


def indexes(path: Path) -> set[str]:
    """The definitions of all indexes in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
        }


def modes(folder: Path) -> set[int]:
    """The access rights of the files in a folder."""
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store"
    for _ in range(3):
        store = SqliteStore.open(path, REAL)
        await store.ping()
        await store.close()
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'c\\_%' ESCAPE '\\'").fetchone()
    assert tables == (len(REAL),)


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "store", BEFORE)
    await store.write("things", Create(thing()))
    assert modes(tmp_path) == {0o600}
    await store.close()


async def test_other_containers_bring_other_columns_and_indexes(tmp_path: Path) -> None:
    path = tmp_path / "store"
    store = SqliteStore.open(path, BEFORE)
    for number, flag in enumerate([True, False, 1, [1], None]):
        await store.write("things", Create(thing(str(number), n=number, s=f"s{number}", flag=flag)))
    await store.close()
    store = SqliteStore.open(path, AFTER)
    page = await store.query(Query("things", "ann", sort=(Sort("s", True),)))
    assert [document.data["id"] for document in page.items] == ["4", "3", "2", "1", "0"]
    assert await store.count(Query("things", "ann", Eq("flag", True))) == 1
    assert await store.count(Query("things", "ann", Eq("flag", 1))) == 1
    assert await store.count(Query("things", "ann", Exists("flag"))) == 4
    with pytest.raises(StoreMisuse, match="no index"):
        await store.query(Query("things", "ann", sort=(Sort("n"),)))
    await store.close()
    assert not any("[v_n]" in definition for definition in indexes(path))
    await SqliteStore.open(path, BEFORE).close()
    assert any("[v_n]" in definition for definition in indexes(path))


async def test_a_process_with_the_old_containers_stops_writing(tmp_path: Path) -> None:
    path = tmp_path / "store"
    old = SqliteStore.open(path, BEFORE)
    await old.write("things", Create(thing("1")))
    new = SqliteStore.open(path, AFTER)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="restart this process"):
            await old.write("things", Create(thing("2")))
    with pytest.raises(StoreUnavailable, match="restart this process"):
        await old.query(Query("things", "ann", sort=(Sort("n"),)))
    await new.write("things", Create(thing("3")))
    await old.close()
    await new.close()


async def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store"
    await SqliteStore.open(path, BEFORE).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = '2-abc' WHERE key = 'fingerprint'")
    with pytest.raises(StoreUnavailable, match="newer version"):
        SqliteStore.open(path, BEFORE)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("partition", [None, "ann"])
async def test_a_list_walks_an_index(tmp_path: Path, descending: bool, partition: str | None) -> None:
    """The plan has no sorting step and no scan; position and partition are found in the index, not by reading on."""
    listed = Container(
        name="things",
        partition_key=("owner",),
        indexes=(
            Index((Key("status"), Key("price.amount"))),
            Index((Key("owner"), Key("status"), Key("price.amount"))),
        ),
        cross_partition=frozenset({"everything"}),
    )
    store = SqliteStore.open(tmp_path / "store", {"things": listed})
    order = (Sort("price.amount", descending),)
    query = Query("things", partition, Eq("status", "active"), order, purpose="everything")
    position = ("x", "y") if partition else ("x", "y", "z")
    for asked in (query, replace(query, after=position)):
        plan = store.plan(asked)
        assert len(plan) == 1, plan
        assert plan[0].startswith("SEARCH c_things USING INDEX"), plan
        assert ("(v_price.amount," in plan[0]) == (asked.after is not None), plan
        assert ("pk=?" in plan[0]) == (partition is not None), plan
    await store.close()
