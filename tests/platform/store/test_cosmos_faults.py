"""Faults on the wire: whatever happens to the answer, a write takes effect once, or the caller hears what it is.

The stand-in plays the faults; times are short, and nothing is asserted about them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_retry import Allowance, Policy
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    Eq,
    OutcomeUnknown,
    Patch,
    Query,
    Replace,
    Sort,
    StoreError,
    StoreUnavailable,
    Upsert,
    VersionConflict,
)
from infra.local.cosmos.faults import ANY, QUERY, READ, WRITE, Fault
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, TestClock, thing
from tests.platform.store.cosmos_adapters import stand_in, store_on

QUICK: Final = Policy(attempt=0.25, seconds=2.0, first_pause=0.001, longest_pause=0.01)
HASTY: Final = Policy(attempt=0.1, seconds=0.3, first_pause=0.001, longest_pause=0.01)


@dataclass(slots=True)
class Bench:
    """A store and the server behind it, with `t1` in it (n = 1)."""

    store: CosmosStore
    server: Server
    etag: str

    def fault(self, effect: int | str, on: str = WRITE, **more: Any) -> None:
        """The next request of a kind goes wrong."""
        self.server.faults.add(Fault(effect, on, **more))


async def opened(policy: Policy, partitions: int = 4) -> Bench:
    """A bench."""
    server = stand_in(CONTAINERS, TestClock(), partitions=partitions)
    store = store_on(server, CONTAINERS, reading=policy, writing=policy)
    first = await store.write("things", Create(thing(n=1, status="open")))
    assert first is not None
    return Bench(store, server, first.etag)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A patient store."""
    found = await opened(QUICK)
    yield found
    await found.store.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Bench]:
    """A store that gives up soon."""
    found = await opened(HASTY)
    yield found
    await found.store.close()


async def read(bench: Bench, id: str = "t1") -> Document | None:
    """A document as it is."""
    return await bench.store.read("things", "ann", id)


# --- writes that take effect once -----------------------------------------------------------------------------------

MANY: Final[dict[str, Any]] = {f"f{number}": number for number in range(9)}


async def create(bench: Bench) -> bool:
    """A new document, once."""
    written = await bench.store.write("things", Create(thing("new", n=7)))
    found = await read(bench, "new")
    return written is not None and found is not None and written.data == found.data == thing("new", n=7)


async def upsert(bench: Bench) -> bool:
    """The document anew."""
    await bench.store.write("things", Upsert(thing(n=2)))
    found = await read(bench)
    return found is not None and found.data == thing(n=2)


async def replace_guarded(bench: Bench) -> bool:
    """The document anew, if it is still that one."""
    written = await bench.store.write("things", Replace(thing(n=2), if_match=bench.etag))
    found = await read(bench)
    return found is not None and written is not None and found.data["n"] == 2 and found.etag == written.etag


async def increment(bench: Bench) -> bool:
    """Adding twice would show."""
    written = await bench.store.write("things", Patch("t1", increments={"n": 1}), partition="ann")
    return written is not None and written.data["n"] == 2


async def increment_if_open(bench: Bench) -> bool:
    """A condition that holds before and after."""
    patch = Patch("t1", increments={"n": 1}, condition=Eq("status", "open"))
    written = await bench.store.write("things", patch, partition="ann")
    return written is not None and written.data["n"] == 2


async def close_if_open(bench: Bench) -> bool:
    """A condition that holds before only: refused at the second time."""
    patch = Patch("t1", sets={"status": "shut"}, condition=Eq("status", "open"))
    written = await bench.store.write("things", patch, partition="ann")
    return written is not None and written.data["status"] == "shut"


async def increment_guarded(bench: Bench) -> bool:
    """With an etag."""
    written = await bench.store.write("things", Patch("t1", increments={"n": 1}, if_match=bench.etag), partition="ann")
    return written is not None and written.data["n"] == 2


async def ten_fields(bench: Bench) -> bool:
    """More than fit into one patch beside the name of the write."""
    written = await bench.store.write("things", Patch("t1", sets=MANY, increments={"n": 1}), partition="ann")
    return written is not None and written.data == thing(n=2, status="open", **MANY)


async def delete(bench: Bench) -> bool:
    """Gone, and that is no error."""
    await bench.store.write("things", Delete("t1"), partition="ann")
    return await read(bench) is None


async def change_and_event(bench: Bench) -> bool:
    """The batch of a room: a change and its outbox row."""
    event = Create(thing("event", kind="outbox"))
    written = await bench.store.batch("things", "ann", [Replace(thing(n=2), if_match=bench.etag), event])
    found = await read(bench)
    assert found is not None
    rows = await bench.store.count(Query("things", "ann", kind="outbox"))
    return [one is not None for one in written] == [True, True] and found.data["n"] == 2 and rows == 1


async def two_increments(bench: Bench) -> bool:
    """A batch in which nothing is created."""
    patches = [Patch("t1", increments={"n": 1}), Patch("t1", increments={"n": 1})]
    await bench.store.batch("things", "ann", patches)
    found = await read(bench)
    return found is not None and found.data["n"] == 3


async def deletes(bench: Bench) -> bool:
    """A batch that leaves nothing to look at."""
    assert await bench.store.batch("things", "ann", [Delete("t1")]) == [None]
    return await read(bench) is None


OPERATIONS: Final[list[Callable[[Bench], Awaitable[bool]]]] = [
    *(create, upsert, replace_guarded, increment, increment_if_open, close_if_open, increment_guarded),
    *(ten_fields, delete, change_and_event, two_increments, deletes),
]
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "429": {"effect": 429},
    "429 with a time": {"effect": 429, "retry_after": 15, "times": 2},
    "449": {"effect": 449, "times": 3},
    "410": {"effect": 410},
    "503": {"effect": 503, "times": 3},
    "503 and yet done": {"effect": 503, "commits": True},
    "503 before one done": {"effect": 503, "commits": True, "times": 2},
    "408": {"effect": 408},
    "408 and yet done": {"effect": 408, "commits": True},
    "500 and yet done": {"effect": 500, "commits": True},
    "lost before": {"effect": "lost_before", "times": 2},
    "lost after": {"effect": "lost_after"},
    "late": {"effect": "slow", "seconds": 0.4},
}


@pytest.mark.parametrize("lagging", [False, True], ids=["", "lagging"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_write_takes_effect_once(
    bench: Bench, operation: Callable[[Bench], Awaitable[bool]], fault: str, lagging: bool
) -> None:
    bench.server.lagging = lagging
    bench.fault(**FAULTS[fault])
    assert await operation(bench)
    assert bench.server.faults.happened


async def test_what_arrives_late_finds_the_guard_closed(bench: Bench) -> None:
    """The first attempt is carried out after the second: the sum is right when both are over."""
    bench.fault("slow", seconds=0.6)
    assert await increment(bench)
    await bench.store.close()  # waits for what the server is still doing
    again = store_on(bench.server, CONTAINERS)
    found = await again.read("things", "ann", "t1")
    assert found is not None
    assert found.data["n"] == 2
    await again.close()


# --- what the caller hears ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", [429, 449, 410])
async def test_what_was_surely_not_done_is_unavailable(hasty: Bench, effect: int) -> None:
    hasty.fault(effect, times=10_000)
    with pytest.raises(StoreUnavailable) as refused:
        await increment(hasty)
    assert not isinstance(refused.value, OutcomeUnknown)
    hasty.server.faults.clear()
    found = await read(hasty)
    assert found is not None
    assert found.data["n"] == 1


@pytest.mark.parametrize("on", [WRITE, ANY])
@pytest.mark.parametrize("effect", [503, 500, 408, "lost_before", "lost_after"])
async def test_the_outcome_is_unknown_only_when_reading_back_does_not_tell(
    hasty: Bench, effect: int | str, on: str
) -> None:
    hasty.fault(effect, on, times=10_000)
    if effect == "lost_after" and on == WRITE:
        assert await increment(hasty)
        return
    with pytest.raises(OutcomeUnknown):
        await increment(hasty)


@pytest.mark.parametrize("effect", [429, 449, 410, 503, 408, 500, "lost_before", "lost_after"])
async def test_reads_are_tried_again(bench: Bench, effect: int | str) -> None:
    bench.fault(effect, READ, times=2)
    assert await read(bench) is not None
    bench.fault(effect, QUERY, times=2)
    everything = Query("things", purpose="everything", sort=(Sort("n"),))
    assert len((await bench.store.query(everything)).items) == 1
    bench.fault(effect, QUERY, times=2, skip=1)
    assert await bench.store.count(everything) == 1


@pytest.mark.parametrize("effect", [429, 503, "lost_before"])
async def test_reads_end_as_unavailable(hasty: Bench, effect: int | str) -> None:
    hasty.fault(effect, ANY, times=10_000)
    for reading in (read(hasty), hasty.store.query(Query("things", "ann")), hasty.store.ping()):
        with pytest.raises(StoreUnavailable) as refused:
            await reading
        assert not isinstance(refused.value, OutcomeUnknown)


async def test_a_slow_read_is_given_up_and_asked_again(bench: Bench) -> None:
    bench.fault("slow", READ, seconds=1.0)
    assert await read(bench) is not None


async def test_refusals_after_a_fault_are_still_refusals(bench: Bench) -> None:
    faults: tuple[int | str, ...] = (503, 408, "lost_before")
    for fault in faults:
        bench.fault(fault)
        with pytest.raises(DocumentExists):
            await bench.store.write("things", Create(thing()))
        bench.fault(fault)
        with pytest.raises(DocumentMissing):
            await bench.store.write("things", Patch("none", increments={"n": 1}), partition="ann")
        bench.fault(fault)
        with pytest.raises(VersionConflict):
            await bench.store.batch(
                "things", "ann", [Create(thing("x")), Patch("t1", increments={"n": 1}, condition=Eq("n", 9))]
            )


async def test_a_change_that_was_overwritten_is_nobodys_to_tell(bench: Bench) -> None:
    """In doubt, and the document is another's now: perhaps ours came between."""
    bench.fault(503, times=2)
    with pytest.raises(OutcomeUnknown):
        await bench.store.write("things", Replace(thing(n=2), if_match="another"))


@pytest.mark.parametrize("status", [401, 403])
async def test_no_access_is_not_asked_for_again(bench: Bench, status: int) -> None:
    bench.fault(status, ANY, times=10_000)
    for attempt in (read(bench), increment(bench)):
        before = bench.server.faults.happened
        with pytest.raises(StoreUnavailable, match="credential"):
            await attempt
        assert bench.server.faults.happened == before + 1


async def test_a_missing_container_says_what_to_do() -> None:
    server = stand_in({}, TestClock())
    store = store_on(server, CONTAINERS)
    with pytest.raises(StoreUnavailable, match="make provision"):
        await store.read("things", "ann", "t1")
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()


async def test_a_wrong_key_is_refused() -> None:
    server = stand_in(CONTAINERS, TestClock())
    server._key = "b3RoZXI="
    store = store_on(server, CONTAINERS)
    with pytest.raises(StoreUnavailable, match="credential"):
        await store.ping()
    await store.close()


def test_an_overloaded_service_is_left_in_peace() -> None:
    allowance = Allowance(most=3, share=0.5)
    assert [allowance.spend() for _ in range(5)] == [True, True, True, False, False]
    for _ in range(2):
        allowance.earn()
    assert [allowance.spend() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("seed", range(3))
async def test_sums_are_right_in_the_middle_of_faults(seed: int) -> None:
    bench = await opened(QUICK)
    chance = random.Random(seed)
    effects: list[int | str] = [429, 449, 410, 503, 408, "lost_before", "lost_after"]
    for _ in range(120):
        effect = chance.choice(effects)
        commits = isinstance(effect, int) and effect in {503, 408} and chance.random() < 0.5
        bench.fault(effect, chance.choice([WRITE, ANY]), skip=chance.randrange(3), commits=commits)
    outcomes: list[str] = []

    async def worker(number: int) -> None:
        for turn in range(12):
            row = Create(thing(f"{number}-{turn}", kind="outbox"))
            try:
                await bench.store.batch("things", "ann", [Patch("t1", increments={"n": 1}), row])
                outcomes.append("done")
            except OutcomeUnknown:
                outcomes.append("unknown")
            except StoreError as error:
                outcomes.append(type(error).__name__)

    await asyncio.gather(*map(worker, range(8)))
    bench.server.faults.clear()
    found = await read(bench)
    assert found is not None
    rows = await bench.store.count(Query("things", "ann", kind="outbox"))
    assert found.data["n"] == 1 + rows
    assert outcomes.count("done") <= rows <= outcomes.count("done") + outcomes.count("unknown")
    assert outcomes.count("done") > 80
    await bench.store.close()
