"""What every event bus does: order within a key, groups, checkpoints, owners."""

from __future__ import annotations

import asyncio

import pytest

from handlers.platform.bus.port import (
    MAX_MESSAGE_BYTES,
    Batch,
    BusMisuse,
    BusUnavailable,
    EventBus,
    Message,
    MessageTooLarge,
    Subscription,
)
from tests.platform.bus.conftest import Opener, Reader, eventually, message


async def test_messages_arrive_with_all_they_carry(bus: EventBus) -> None:
    reader = Reader()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [Message("order-1", b'{"a": "\xc3\xa9"}', {"cloudEvents:type": "x", "more": "y"})])
    await reader.until(1)
    [got] = reader.got
    assert (got.topic, got.key, got.body) == ("a-events", "order-1", b'{"a": "\xc3\xa9"}')
    assert dict(got.attributes) == {"cloudEvents:type": "x", "more": "y"}
    assert got.enqueued_at > 1_700_000_000
    await consumption.stop()


async def test_each_key_keeps_its_order_over_many_publishers(bus: EventBus) -> None:
    reader = Reader()
    consumption = await bus.consume([reader.subscription])

    async def publisher(key: str) -> None:
        for number in range(0, 40, 4):
            await bus.publish("a-events", [message(key, number + i) for i in range(4)])

    await asyncio.gather(*(publisher(f"key-{i}") for i in range(10)))
    await reader.until(400)
    for i in range(10):
        own = [body for body in reader.bodies if body.startswith(b"key-%d:" % i)]
        assert own == [b"key-%d:%d" % (i, number) for number in range(40)]
    assert len({batch.partition for batch in reader.batches}) == 4
    await consumption.stop()


async def test_groups_read_each_for_itself_and_a_new_one_from_the_beginning(bus: EventBus) -> None:
    await bus.publish("a-events", [message("k", 1)])
    first, second = Reader("first"), Reader("second")
    one = await bus.consume([first.subscription])
    await first.until(1)
    two = await bus.consume([second.subscription])
    await second.until(1)
    assert first.bodies == second.bodies == [b"k:1"]
    await one.stop()
    await two.stop()


async def test_a_group_goes_on_where_it_stopped(bus: EventBus) -> None:
    reader = Reader()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [message("k", 1)])
    await reader.until(1)
    await consumption.stop()
    await bus.publish("a-events", [message("k", 2)])
    again = Reader()
    consumption = await bus.consume([again.subscription])
    await again.until(1)
    assert again.bodies == [b"k:2"]
    await consumption.stop()


async def test_after_a_crash_what_was_not_saved_comes_again(bus: EventBus) -> None:
    reader = Reader()
    reader.hold = asyncio.Event()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [message("k", 1), message("k", 2)])
    await eventually(lambda: bool(reader.batches))
    await consumption.abandon()
    again = Reader()
    consumption = await bus.consume([again.subscription])
    await again.until(2)
    assert again.bodies == [b"k:1", b"k:2"]
    await consumption.stop()


async def test_only_what_is_finished_moves_the_checkpoint(bus: EventBus) -> None:
    reader = Reader()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [message("k", n) for n in range(5)])
    await reader.until(5)
    await consumption.stop()
    assert [progress.behind for progress in consumption.progress()] == []
    half = Reader()

    async def finish_two(batch: object) -> None:
        half.batches.append(batch)  # type: ignore[arg-type]
        half.batches[-1].finish(2)
        half.batches[-1].stopping.set()

    half.subscription = type(half.subscription)("half", ("a-events",), finish_two)
    consumption = await bus.consume([half.subscription])
    await eventually(lambda: bool(half.batches))
    await consumption.stop()
    rest = Reader("half")
    consumption = await bus.consume([rest.subscription])
    await rest.until(3)
    assert rest.bodies == [b"k:2", b"k:3", b"k:4"]
    await consumption.stop()


async def test_what_is_finished_within_a_batch_survives_a_crash(bus: EventBus) -> None:
    batches: list[Batch] = []

    async def finish_two(batch: Batch) -> None:
        batches.append(batch)
        batch.finish(2)
        await asyncio.sleep(60)

    await bus.publish("a-events", [message("k", n) for n in range(5)])
    consumption = await bus.consume([Subscription("half", ("a-events",), finish_two)])
    await eventually(lambda: bool(batches))
    await asyncio.sleep(0.3)
    await consumption.abandon()
    rest = Reader("half")
    consumption = await bus.consume([rest.subscription])
    await rest.until(3)
    assert rest.bodies == [b"k:2", b"k:3", b"k:4"]
    await consumption.stop()


async def test_two_members_share_and_one_takes_all_when_the_other_goes(open_bus: Opener) -> None:
    one, two = open_bus(), open_bus()
    first, second = Reader(), Reader()
    a = await one.consume([first.subscription])
    assert len(a.progress()) == 4
    b = await two.consume([second.subscription])
    await eventually(lambda: (len(a.progress()), len(b.progress())) == (2, 2))
    await one.publish("a-events", [message(f"k{n}", n) for n in range(40)])
    await eventually(lambda: len(first.got) + len(second.got) >= 40)
    assert first.got
    assert second.got
    await a.stop()
    await eventually(lambda: len(b.progress()) == 4)
    await b.stop()


async def test_who_gets_a_partition_hears_of_it_before_its_messages(open_bus: Opener) -> None:
    heard: dict[str, list[str]] = {"first": [], "second": []}

    def member(name: str) -> Subscription:
        async def deliver(batch: Batch) -> None:
            heard[name] += ["message"] * len(batch.messages)
            batch.finish(len(batch.messages))

        return Subscription("readers", ("a-events",), deliver, taken=lambda: heard[name].append("taken"))

    one, two = open_bus(), open_bus()
    await one.publish("a-events", [message("k", 1)])
    a = await one.consume([member("first")])
    await eventually(lambda: "message" in heard["first"])
    assert heard["first"] == ["taken"] * 4 + ["message"]
    b = await two.consume([member("second")])
    await eventually(lambda: (len(a.progress()), len(b.progress())) == (2, 2))
    assert heard["second"].count("taken") == 2
    await a.stop()
    await eventually(lambda: len(b.progress()) == 4)
    assert heard["second"].count("taken") == 4
    await b.stop()


async def test_the_checkpoint_of_a_former_owner_is_refused(open_bus: Opener) -> None:
    one, two = open_bus(), open_bus()
    stuck, reader = Reader(), Reader()
    stuck.hold = asyncio.Event()
    a = await one.consume([stuck.subscription])
    await one.publish("a-events", [message("k", 1)])
    await eventually(lambda: bool(stuck.batches))
    await one.close()  # it cannot renew any more, but its handler still runs
    b = await two.consume([reader.subscription])
    await reader.until(1)
    await two.publish("a-events", [message("k", 2)])
    await reader.until(2)
    stuck.hold.set()
    await a.stop(0.5)
    await b.stop()
    after = Reader()
    c = await two.consume([after.subscription])
    await two.publish("a-events", [message("k", 3)])
    await after.until(1)
    assert after.bodies == [b"k:3"]
    await c.stop()


async def test_a_receiver_that_fails_gets_the_batch_again(bus: EventBus) -> None:
    reader, failures = Reader(), [RuntimeError("once")]
    deliver = reader.subscription.deliver

    async def failing(batch: object) -> None:
        if failures:
            raise failures.pop()
        await deliver(batch)  # type: ignore[arg-type]

    consumption = await bus.consume([type(reader.subscription)("readers", ("a-events",), failing)])
    await bus.publish("a-events", [message("k", 1)])
    await reader.until(1)
    assert reader.bodies == [b"k:1"]
    await consumption.stop()


async def test_stopping_waits_for_what_is_under_way(bus: EventBus) -> None:
    reader = Reader()
    reader.hold = asyncio.Event()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [message("k", 1)])
    await eventually(lambda: bool(reader.batches))
    stopping = asyncio.create_task(consumption.stop())
    await asyncio.sleep(0.05)
    assert reader.batches[0].stopping.is_set()
    assert not stopping.done()
    reader.hold.set()
    await stopping
    after = Reader()
    consumption = await bus.consume([after.subscription])
    await asyncio.sleep(0.1)
    assert after.got == []
    await consumption.stop()


async def test_lag_counts_what_is_still_to_come(bus: EventBus) -> None:
    reader = Reader()
    reader.hold = asyncio.Event()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [message("k", n) for n in range(7)])
    await eventually(lambda: sum(progress.behind for progress in consumption.progress()) == 7)
    reader.hold.set()
    await eventually(lambda: sum(progress.behind for progress in consumption.progress()) == 0)
    await consumption.stop()


async def test_all_processes_together_say_how_far_a_group_has_come(open_bus: Opener) -> None:
    """From another process than the readers', and after they have ended: checkpoints count, not who reads."""
    readers, watcher = open_bus(), open_bus()

    async def behind() -> int:
        positions = await watcher.positions({"readers": ("a-events",)})
        assert [(each.topic, each.partition) for each in positions] == [("a-events", n) for n in range(4)]
        assert all(0 <= each.handled <= each.published for each in positions)
        return sum(each.published - each.handled for each in positions)

    assert await behind() == 0
    reader = Reader()
    reader.hold = asyncio.Event()
    consumption = await readers.consume([reader.subscription])
    await readers.publish("a-events", [message(f"k-{n}", n) for n in range(9)])
    assert await behind() == 9
    reader.hold.set()

    async def caught_up() -> bool:
        return await behind() == 0

    await eventually(caught_up)
    await consumption.stop()
    await readers.publish("a-events", [message("k", 10)])
    assert await behind() == 1
    # A group that never read is behind with everything.
    assert sum(p.published - p.handled for p in await watcher.positions({"others": ("a-events",)})) == 10


async def test_what_cannot_be_published_is_refused(bus: EventBus) -> None:
    with pytest.raises(MessageTooLarge):
        await bus.publish("a-events", [message("k", 1), Message("k", b"x" * MAX_MESSAGE_BYTES, {})])
    with pytest.raises(BusMisuse):
        await bus.publish("no-events", [message("k", 1)])
    await bus.publish("a-events", [Message("k", b"x" * (MAX_MESSAGE_BYTES - 100), {})])
    await bus.ping()
    await bus.close()
    with pytest.raises(BusUnavailable):
        await bus.publish("a-events", [message("k", 1)])
    with pytest.raises(BusUnavailable):
        await bus.ping()
