"""Consumers: in order per aggregate, once, patient with what is away, done with poison after a few tries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from handlers.platform import consumer as consumer_module
from handlers.platform import patience as patience_module
from handlers.platform.bus.port import Batch, Received
from handlers.platform.consumer import Consumer, Handler
from handlers.platform.errors import DocumentNewer, not_found, unavailable
from handlers.platform.events import Event, EventMismatch, type_of
from handlers.platform.inbox import Inbox
from handlers.platform.patience import NotYetThere, Patience, Transient
from handlers.platform.store.port import (
    Create,
    DocumentExists,
    Operation,
    StoreMisuse,
    StoreUnavailable,
    VersionConflict,
)
from tests.platform.chaos.contract import EVENT, STORED, TOPIC, contract
from tests.platform.eventing import Parts, envelope, parts, received

QUICK = Patience(attempts=3, first=0.001, longest=0.01)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Parts]:
    """Store, bus, outbox."""
    async with parts(tmp_path) as opened:
        yield opened


def consumer(world: Parts, handler: Handler, **more: Any) -> Consumer:
    """A consumer of the group `counters`."""
    return Consumer("counters", {EVENT: handler}, contract(), world.letters, patience=QUICK, **more)


def batch_of(*messages: Received) -> Batch:
    """A delivery."""
    return Batch("counters", TOPIC, 0, messages, asyncio.Event())


async def delivered(own: Consumer, *messages: Received) -> Batch:
    """A delivery that has been seen to."""
    batch = batch_of(*messages)
    await own.deliver(batch)
    return batch


async def test_a_handler_gets_the_whole_event(world: Parts) -> None:
    seen: list[Event[Any]] = []

    async def handler(event: Event[Any]) -> None:
        seen.append(event)

    own = consumer(world, handler)
    assert (await delivered(own, received(envelope(causation_id="event-0", event_version="1.7")))).finished == 1
    [event] = seen
    assert event == Event(
        id="event-1",
        type=EVENT,
        version="1.7",
        timestamp="2026-01-25T10:45:00.000Z",
        source="crud-service",
        data={"thing_id": "thing-1", "number": 1},
        correlation_id="request-1",
        causation_id="event-0",
        group="counters",
        topic=TOPIC,
        key="thing-1",
    )
    assert (own.counts.handled, own.events) == (1, frozenset({EVENT}))
    assert own.counts.age > 0


async def test_one_key_after_the_other_and_keys_side_by_side(world: Parts) -> None:
    running: set[str] = set()
    most, order = 0, []

    async def handler(event: Event[Any]) -> None:
        nonlocal most
        assert event.key not in running
        running.add(event.key)
        most = max(most, len(running))
        await asyncio.sleep(0.002)
        order.append((event.key, event.data["number"]))
        running.discard(event.key)

    messages = [
        received(envelope(f"e-{key}-{n}", data={"thing_id": f"k{key}", "number": n}), key=f"k{key}")
        for n in range(5)
        for key in range(30)
    ]
    assert (await delivered(consumer(world, handler), *messages)).finished == 150
    assert most == consumer_module.CONCURRENCY
    for key in range(30):
        assert [number for name, number in order if name == f"k{key}"] == [0, 1, 2, 3, 4]


async def test_a_contested_document_is_waited_for_and_never_becomes_a_dead_letter(world: Parts) -> None:
    tries = 0

    async def handler(event: Event[Any]) -> None:
        nonlocal tries
        tries += 1
        if tries < 40:
            raise VersionConflict("stock: the document has changed")

    own = consumer(world, handler)
    assert (await delivered(own, received(envelope()))).finished == 1
    assert (tries, own.counts.waited, own.counts.failed, own.counts.buried) == (40, 39, 0, 0)


@pytest.mark.parametrize(
    ("error", "limit"), [(VersionConflict("changed"), "_CONTESTED"), (NotYetThere("no order"), "_BEHIND")]
)
async def test_what_is_contested_or_missing_for_ever_is_a_fault_in_the_end(
    world: Parts, error: Exception, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience_module, limit, 0.05)
    tries = 0

    async def handler(event: Event[Any]) -> None:
        nonlocal tries
        tries += 1
        raise error

    own = consumer(world, handler)
    assert (await delivered(own, received(envelope()))).finished == 1
    assert tries > QUICK.attempts
    assert (own.counts.failed, own.counts.buried) == (QUICK.attempts, 1)


async def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(world: Parts) -> None:
    tries: list[str] = []

    async def handler(event: Event[Any]) -> None:
        tries.append(event.id)
        if event.id == "event-1":
            raise ValueError("no order of ann@example.com")

    own = consumer(world, handler)
    messages = received(envelope()), received(envelope("event-2"), sequence=2)
    assert (await delivered(own, *messages)).finished == 2
    assert tries == ["event-1"] * 3 + ["event-2"]
    letter = await world.letters.find("counters.event-1")
    assert letter is not None
    assert {name: letter.data[name] for name in ("status", "reason", "attempts", "error", "topic", "event_type")} == {
        "status": "open",
        "reason": "failed",
        "attempts": 3,
        "error": "ValueError: no order of [redacted]",
        "topic": TOPIC,
        "event_type": EVENT,
    }
    assert letter.data["envelope"] == envelope()
    assert own.counts.buried == 1
    tries.clear()
    assert (await delivered(own, *messages)).finished == 2  # a duplicate of a dead letter is not tried again
    assert tries == ["event-2"]


@pytest.mark.parametrize(
    "error",
    [StoreUnavailable("throttled"), Transient("partner"), ConnectionResetError(), TimeoutError(), unavailable()],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_away_is_waited_for(world: Parts, error: Exception) -> None:
    failures = [error] * 7  # more than poison is tried

    async def handler(_: Event[Any]) -> None:
        if failures:
            raise failures.pop()

    own = consumer(world, handler)
    assert (await delivered(own, received(envelope()))).finished == 1
    assert (own.counts.waited, own.counts.handled, own.counts.buried) == (7, 1, 0)


async def test_waiting_ends_when_the_partition_is_to_be_left(world: Parts) -> None:
    async def handler(_: Event[Any]) -> None:
        raise StoreUnavailable("away")

    batch = batch_of(received(envelope()), received(envelope("event-2"), sequence=2))
    delivering = asyncio.create_task(consumer(world, handler).deliver(batch))
    await asyncio.sleep(0.05)
    batch.stopping.set()
    async with asyncio.timeout(1):
        await delivering
    assert batch.finished == 0


async def test_a_refusal_by_a_rule_is_poison(world: Parts) -> None:
    async def handler(_: Event[Any]) -> None:
        raise not_found("Order")

    own = consumer(world, handler)
    await delivered(own, received(envelope()))
    assert own.counts.buried == 1


async def test_a_handler_without_an_end_is_poison(world: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "HANDLER_SECONDS", 0.01)

    async def handler(_: Event[Any]) -> None:
        await asyncio.sleep(60)

    await delivered(consumer(world, handler), received(envelope()))
    letter = await world.letters.find("counters.event-1")
    assert letter is not None
    assert "no end within" in letter.data["error"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (received(envelope(), version=2), "unsupported_version"),
        (received(envelope(event_version="2.0")), "invalid"),
        (received(envelope(data={"thing_id": "thing-1", "number": 1, "colour": "blue"})), "unsupported_version"),
        (received(envelope(data={"thing_id": "thing-1", "colour": "blue"})), "invalid"),
        (received(envelope(data={"thing_id": "thing-1"})), "invalid"),
        (received(b"no json"), "invalid"),
        (received(b"[]"), "invalid"),
    ],
)
async def test_what_does_not_fit_is_parked_at_once(world: Parts, message: Received, reason: str) -> None:
    async def handler(_: Event[Any]) -> None:
        raise AssertionError

    own = consumer(world, handler)
    assert (await delivered(own, message)).finished == 1
    letter = await world.letters.find("counters.event-1")
    assert letter is not None
    assert (letter.data["reason"], letter.data["attempts"]) == (reason, 1)


async def test_an_event_for_a_document_newer_than_the_process_is_parked_at_once(world: Parts) -> None:
    async def handler(_: Event[Any]) -> None:
        raise DocumentNewer("The thing's status")

    own = consumer(world, handler)
    assert (await delivered(own, received(envelope()))).finished == 1
    letter = await world.letters.find("counters.event-1")
    assert letter is not None
    assert (letter.data["reason"], letter.data["attempts"]) == ("unsupported_version", 1)
    assert letter.data["error"] == "The thing's status is newer than this process"


async def test_newer_minor_versions_and_unknown_fields_are_read(world: Parts) -> None:
    seen = []

    async def handler(event: Event[Any]) -> None:
        seen.append(event.data)

    data = {"thing_id": "thing-1", "number": 1, "new": ["a"]}
    await delivered(consumer(world, handler), received(envelope(event_version="1.9", data=data)))
    assert seen == [data]


async def test_what_is_for_others_is_passed_over(world: Parts) -> None:
    async def handler(_: Event[Any]) -> None:
        raise AssertionError

    own = consumer(world, handler)
    others = received(envelope(event_type="SomethingElse")), received(envelope(), sequence=2, replay_for="mirrors")
    assert (await delivered(own, *others)).finished == 2
    assert own.counts.passed == 2
    assert type_of({}) == ("", "")


async def test_a_replay_is_handled_and_settles_its_letter(world: Parts) -> None:
    broken = True

    async def handler(_: Event[Any]) -> None:
        if broken:
            raise ValueError("still broken")

    own = consumer(world, handler)
    await delivered(own, received(envelope()))
    for expected, still in (("open", True), ("replayed", False)):
        broken = still
        letter = await world.letters.find("counters.event-1")
        assert letter is not None
        assert (await world.letters.replay(letter)).data["status"] == "replaying"
        await delivered(own, received(envelope(), replay_for="counters"))
        letter = await world.letters.find("counters.event-1")
        assert letter is not None
        assert (letter.data["status"], letter.data["replays"]) == (expected, 1 if still else 2)


async def test_a_dead_letter_that_cannot_be_kept_stops_the_partition(
    world: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury, failures = world.letters.bury, [StoreUnavailable("away")] * 3

    async def failing(failure: Any) -> None:
        if failures:
            raise failures.pop()
        await bury(failure)

    async def handler(_: Event[Any]) -> None:
        raise ValueError

    monkeypatch.setattr(world.letters, "bury", failing)
    assert (await delivered(consumer(world, handler), received(envelope()))).finished == 1
    assert await world.letters.find("counters.event-1") is not None


async def test_effects_are_applied_once(world: Parts) -> None:
    inbox = Inbox(world.store, containers=STORED)
    event = Event(**{**_FIELDS, "id": "event-1"})

    async def build() -> Sequence[Operation]:
        found = await world.store.read("effects", "thing-1", "e")
        return [] if found is not None else [Create({"id": "e", "thing_id": "thing-1"})]

    assert not await inbox.applied(event, "effects", "thing-1")
    assert await inbox.once(event, "effects", "thing-1", build)
    assert await inbox.applied(event, "effects", "thing-1")
    assert await inbox.once(event, "effects", "thing-1", build)  # nothing to do any more
    assert not await inbox.apply(event, "effects", "thing-1", [Create({"id": "f", "thing_id": "thing-1"})])
    assert inbox.duplicates == 1
    other = Event(**{**_FIELDS, "id": "event-2"})
    with pytest.raises(DocumentExists):
        await inbox.apply(other, "effects", "thing-1", [Create({"id": "e", "thing_id": "thing-1"})])
    assert not await inbox.applied(other, "effects", "thing-1")
    with pytest.raises(StoreMisuse):
        inbox.row(event, "things", "thing-1")


_FIELDS: dict[str, Any] = {
    "type": EVENT,
    "version": "1.0",
    "timestamp": "2026-01-25T10:45:00.000Z",
    "source": "crud-service",
    "data": {},
    "correlation_id": "c",
    "causation_id": "c",
    "group": "counters",
    "topic": TOPIC,
    "key": "thing-1",
}


def test_the_contract_says_where_and_never_what() -> None:
    own = contract()
    own.check(envelope())
    with pytest.raises(EventMismatch) as refused:
        own.check(envelope(data={"thing_id": 7, "number": "ann@example.com"}))
    assert "/data/number fails number/type" in str(refused.value)
    assert "ann" not in str(refused.value)
    for wrong in ({"event_type": "Nothing"}, {"event_type": 7}, {"event_version": "2.0"}):
        with pytest.raises(EventMismatch):
            own.check(envelope(**wrong))
    assert own.key(EVENT, {"thing_id": "t"}) == "t"
    for event_type in (EVENT, "Nothing"):
        with pytest.raises(EventMismatch):
            own.key(event_type, {})
