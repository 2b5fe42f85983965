"""Conformance: all or nothing within a partition; nothing is lost between parallel writers."""

from __future__ import annotations

import asyncio

import pytest

from handlers.platform.store.port import (
    MAX_BATCH_OPERATIONS,
    Create,
    Delete,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    DocumentTooLarge,
    Eq,
    Operation,
    Patch,
    Query,
    Range,
    Replace,
    StoreError,
    StoreMisuse,
    Upsert,
    VersionConflict,
)
from tests.platform.store.adapters import thing


async def names(store: DocumentStore, owner: str = "ann") -> list[str]:
    """The ids in a partition."""
    page = await store.query(Query("things", owner, limit=1000))
    return [document.data["id"] for document in page.items]


async def test_a_batch_does_all_of_it(store: DocumentStore) -> None:
    await store.write("things", Create(thing("a", n=1)))
    await store.write("things", Create(thing("b")))
    results = await store.batch(
        "things",
        "ann",
        [
            Patch("a", increments={"n": 1}),
            Delete("b"),
            Create(thing("c")),
            Upsert(thing("d")),
            Replace(thing("c", n=2)),
            Create(thing("e", kind="outbox")),
        ],
    )
    assert [result.data.get("n") if result else None for result in results] == [2, None, None, None, 2, None]
    assert results[1] is None
    assert await names(store) == ["a", "c", "d"]
    assert await store.count(Query("things", "ann", kind="outbox")) == 1


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (Create(thing("old")), DocumentExists),
        (Replace(thing("none")), DocumentMissing),
        (Delete("none"), DocumentMissing),
        (Delete("old", if_match="other"), VersionConflict),
        (Patch("old", increments={"n": 1}, condition=Eq("n", 7)), VersionConflict),
        (Patch("old", increments={"id.x": 1}), StoreMisuse),
        (Patch("old", increments={"absent.x": 1}), StoreMisuse),
    ],
)
async def test_a_batch_that_fails_does_nothing(store: DocumentStore, last: Operation, error: type[Exception]) -> None:
    old = await store.write("things", Create(thing("old", n=1)))
    with pytest.raises(error):
        await store.batch(
            "things", "ann", [Create(thing("new")), Patch("old", increments={"n": 5}), last, Create(thing("newer"))]
        )
    assert await names(store) == ["old"]
    found = await store.read("things", "ann", "old")
    assert found is not None
    assert old is not None
    assert found.etag == old.etag


async def test_the_limits_of_a_batch(store: DocumentStore) -> None:
    full: list[Operation] = [Create(thing(f"t{number:03d}")) for number in range(MAX_BATCH_OPERATIONS)]
    with pytest.raises(StoreMisuse):
        await store.batch("things", "ann", [])
    with pytest.raises(StoreMisuse):
        await store.batch("things", "ann", [*full, Create(thing("more"))])
    with pytest.raises(StoreMisuse):
        await store.batch("things", "ann", [Create(thing("a")), Create(thing("b", owner="ben"))])
    with pytest.raises(DocumentTooLarge):
        await store.batch("things", "ann", [Create(thing(name, text="x" * 1_500_000)) for name in ("a", "b")])
    assert await names(store) == []
    assert len(await store.batch("things", "ann", full)) == MAX_BATCH_OPERATIONS


async def test_parallel_increments_all_count(store: DocumentStore) -> None:
    await store.write("things", Create(thing(n=0)))
    increment = Patch("t1", increments={"n": 1})
    await asyncio.gather(*(store.write("things", increment, partition="ann") for _ in range(200)))
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert found.data["n"] == 200


async def test_conditional_patches_never_go_below(store: DocumentStore) -> None:
    await store.write("things", Create(thing(n=25, reserved=0)))
    take = Patch("t1", increments={"n": -1, "reserved": 1}, condition=Range("n", ge=1))

    async def attempt(number: int) -> bool:
        hold = Create(thing(f"hold|{number}", kind="hold"))
        try:
            await store.batch("things", "ann", [take, hold])
        except VersionConflict:
            return False
        return True

    taken = await asyncio.gather(*(attempt(number) for number in range(100)))
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert sum(taken) == 25
    assert (found.data["n"], found.data["reserved"]) == (0, 25)
    assert await store.count(Query("things", "ann", kind="hold")) == 25


async def test_read_change_replace_loses_nothing(store: DocumentStore) -> None:
    await store.write("things", Create(thing(items=[])))

    async def add(item: int) -> None:
        while True:
            found = await store.read("things", "ann", "t1")
            assert found is not None
            try:
                await store.write(
                    "things", Replace({**found.data, "items": [*found.data["items"], item]}, if_match=found.etag)
                )
            except VersionConflict:
                continue
            return

    await asyncio.gather(*(add(item) for item in range(12)))
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert sorted(found.data["items"]) == list(range(12))


async def test_one_create_wins(store: DocumentStore) -> None:
    async def attempt(number: int) -> int | None:
        try:
            await store.write("things", Create(thing(n=number)))
        except StoreError:
            return None
        return number

    winners = [number for number in await asyncio.gather(*map(attempt, range(50))) if number is not None]
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert winners == [found.data["n"]]


async def test_a_cancelled_caller_disturbs_nobody(store: DocumentStore) -> None:
    writes = [asyncio.ensure_future(store.write("things", Create(thing(f"t{number:02d}")))) for number in range(20)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    kept = {f"t{number:02d}" for number in range(1, 20, 2)}
    assert kept <= {*await names(store)}
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes[::2])
    await store.ping()
