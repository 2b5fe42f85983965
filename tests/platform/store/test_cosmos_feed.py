"""The change feed as a feed of outbox rows: whole, in order per partition, through splits and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from handlers.platform.store import cosmos_feed
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import Create, DocumentStore, Patch, StoreMisuse, Upsert
from infra.local.cosmos.faults import FEED, Fault
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, TestClock, thing
from tests.platform.store.cosmos_adapters import DATABASE, stand_in, store_on


@pytest.fixture(autouse=True)
def always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call asks the service."""
    monkeypatch.setattr(cosmos_feed, "LOOK", 0.0)


@pytest.fixture
def server() -> Server:
    """Four ranges."""
    return stand_in(CONTAINERS, TestClock(), partitions=4)


@pytest.fixture
async def store(server: Server) -> AsyncIterator[CosmosStore]:
    """A store on it."""
    opened = store_on(server, CONTAINERS)
    yield opened
    await opened.close()


async def write_rows(store: DocumentStore, turns: range, owners: int = 6) -> None:
    """An aggregate per owner, changed with a row each turn; other documents in between."""
    for turn in turns:
        for owner in range(owners):
            name = f"o{owner}"
            await store.batch(
                "things",
                name,
                [Upsert(thing("aggregate", name, n=turn)), Create(row(name, turn)), Create(row(name, turn, "b"))],
            )
            await store.write("things", Upsert(thing(f"noise-{turn % 3}", name)))


def row(owner: str, turn: int, half: str = "a") -> dict[str, object]:
    """An outbox row."""
    return thing(f"{turn:03d}{half}", owner, kind="outbox", sequence=turn)


async def drain(store: DocumentStore, positions: dict[str, str | None], limit: int = 7) -> dict[str, list[str]]:
    """All rows by owner, from the positions, which move on."""
    found: dict[str, list[str]] = {}
    for feed in [*positions]:
        while True:
            changes = await store.changes(feed, positions[feed], limit)
            if not changes.items:
                break
            positions[feed] = changes.next
            for item in changes.items:
                found.setdefault(item.data["owner"], []).append(item.data["id"])
    return found


def expected(turns: range, owners: int = 6) -> dict[str, list[str]]:
    """What there is to find."""
    return {f"o{owner}": [f"{turn:03d}{half}" for turn in turns for half in "ab"] for owner in range(owners)}


async def start(store: DocumentStore) -> dict[str, str | None]:
    """Every feed from its beginning."""
    return dict.fromkeys(await store.feeds())


async def test_every_range_is_a_feed(store: CosmosStore) -> None:
    feeds = await store.feeds()
    assert len(feeds) == 4
    assert all(feed.startswith("things:") for feed in feeds)
    for wrong in ("outbox", "plain:-FF", "things:"):
        with pytest.raises(StoreMisuse):
            await store.changes(wrong, None, 10)


async def test_all_rows_come_in_order_and_only_they(store: CosmosStore) -> None:
    await write_rows(store, range(10))
    positions = await start(store)
    assert await drain(store, positions) == expected(range(10))
    assert await drain(store, positions) == {}
    await write_rows(store, range(10, 14))
    assert await drain(store, positions) == expected(range(10, 14))


async def test_a_position_is_good_for_another_process(store: CosmosStore, server: Server) -> None:
    await write_rows(store, range(3))
    positions = await start(store)
    await drain(store, positions)
    await write_rows(store, range(3, 6))
    other = store_on(server, CONTAINERS)
    assert await drain(other, positions) == expected(range(3, 6))
    await other.close()


@pytest.mark.parametrize("before", [0, 4])
async def test_a_range_that_is_split_loses_nothing(store: CosmosStore, server: Server, before: int) -> None:
    positions = await start(store)
    await write_rows(store, range(4))
    found = await drain(store, positions) if before else {}
    for number in range(4):
        server.collection(DATABASE, "things").split(str(number))
    await write_rows(store, range(4, 8))
    rest = await drain(store, positions)
    assert {owner: found.get(owner, []) + rows for owner, rows in rest.items()} == expected(range(8))
    assert len(await store.feeds()) == 8


async def test_documents_are_found_after_a_split(store: CosmosStore, server: Server) -> None:
    await write_rows(store, range(2))
    server.collection(DATABASE, "things").split("1")
    for owner in range(6):
        assert await store.read("things", f"o{owner}", "aggregate") is not None
        patched = await store.write("things", Patch("aggregate", increments={"n": 1}), partition=f"o{owner}")
        assert patched is not None
        assert patched.data["n"] == 2


async def test_other_documents_are_not_read_again_and_again(store: CosmosStore, server: Server) -> None:
    for number in range(50):
        await store.write("things", Create(thing(f"{number:02d}", "ann")))
    for feed in await store.feeds():
        assert (await store.changes(feed, None, 10)).items == []
    before = server.requests
    for feed in await store.feeds():
        assert (await store.changes(feed, None, 10)).items == []
    assert server.requests - before == 4


async def test_what_is_known_to_be_quiet_is_not_asked(
    store: CosmosStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosmos_feed, "LOOK", 3600.0)
    positions = await start(store)
    await drain(store, positions)
    before = server.requests
    await drain(store, positions)
    assert server.requests == before
    await store.write("things", Create(row("ann", 1)))
    assert await drain(store, positions) == {"ann": ["001a"]}


async def test_a_fault_is_tried_again(store: CosmosStore, server: Server) -> None:
    await write_rows(store, range(2))
    positions = await start(store)
    for effect in (429, 503, 449):
        server.faults.add(Fault(effect, FEED, times=2))
    assert await drain(store, positions) == expected(range(2))


async def test_concurrent_readers_do_not_take_each_others_positions(store: CosmosStore) -> None:
    await write_rows(store, range(12))
    feeds = await store.feeds()
    found = await asyncio.gather(*(drain(store, {feed: None}, limit=3) for feed in feeds))
    merged = {owner: rows for part in found for owner, rows in part.items()}
    assert merged == expected(range(12))


async def test_writing_a_row_wakes_who_waits(store: CosmosStore) -> None:
    positions = await start(store)
    await drain(store, positions)
    waiting = asyncio.create_task(store.changed(60))
    await asyncio.sleep(0)
    await store.write("things", Create(thing("aggregate")))
    assert not waiting.done()
    await store.write("things", Create(row("ann", 1)))
    await asyncio.wait_for(waiting, 10)
    await drain(store, positions)
    await store.write("things", Create(row("ann", 2)))
    await asyncio.wait_for(store.changed(60), 10)  # it rang after the last look
    await drain(store, positions)
    await store.changed(0.01)  # nothing more, but time
