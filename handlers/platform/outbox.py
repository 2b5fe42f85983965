"""Events are written as rows in the batch of the change they tell of (decisions 36, 51); a relay publishes them later.

A row is only ever inserted, and ends by itself after seven days. Its `sequence` comes from a counter in the aggregate
itself (`event_sequence`), so the relay can publish in order and notice a gap; the guarded document must therefore be
written in the same batch, guarded by its etag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

from generated.containers import CONTAINERS, Container
from generated.events import EVENTS, EventSpec
from handlers.platform.clock import Clock, SystemClock, timestamp
from handlers.platform.events import Event
from handlers.platform.ids import new_id
from handlers.platform.store.port import Create, Json, StoreMisuse
from handlers.platform.store.values import place, value_at

KIND: Final = "outbox"
COUNTER: Final = "event_sequence"
# Not `created_at`: rows with the name of a room's sort key would lie in the index of its lists.
WRITTEN: Final = "written_at"
TTL: Final = 7 * 24 * 3600  # seconds; long enough to publish after an outage of days
SOURCE: Final = "crud-service"
VERSION: Final = "1.0"

Validate = Callable[[Json], None]


def _accept(_: Json) -> None:
    """No validation: for tests with events of their own. Applications pass `EventContract.check`."""


class Outbox:
    """Builds outbox rows. `validate` refuses an envelope that does not fit the event contract by raising."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        validate: Validate = _accept,
        containers: Mapping[str, Container] = CONTAINERS,
        events: Mapping[str, EventSpec] = EVENTS,
    ) -> None:
        self._clock = clock or SystemClock()
        self._validate = validate
        self._containers = containers
        self._events = events

    def row(
        self,
        container: str,
        guarded: MutableMapping[str, Any],
        *,
        event_type: str,
        data: Mapping[str, Any],
        correlation_id: str,
        causation_id: str | None = None,
        source: str = SOURCE,
        topic: str | None = None,
        key: str | None = None,
    ) -> Create:
        """The row for the same batch as `guarded`, whose `event_sequence` goes up by one here.

        `correlation_id`: the request's id. `causation_id`: the event this one follows from; none means that the request
        itself led to it. `source`: the agent's name, when a built-in participant stands in for one. `topic` and `key`
        (the aggregate's id) are what the contract says, unless given.
        """
        if topic is None or key is None:
            spec = self._events[event_type]
            topic = topic or spec.topic
            key = key or str(value_at(data, spec.partition_key.removeprefix("/data/").split("/")))
        if KIND not in self._containers[container].kinds:
            raise StoreMisuse(f"{container}: no outbox rows here (infra/containers.yaml)")
        moment = timestamp(self._clock.now())
        event_id = new_id("event")
        envelope: Json = {
            "event_id": event_id,
            "event_type": event_type,
            "event_version": VERSION,
            "timestamp": moment,
            "source": source,
            "data": dict(data),
            "correlation_id": correlation_id,
            "causation_id": causation_id or correlation_id,
        }
        self._validate(envelope)
        return Create(
            {
                **place(self._containers[container].partition_key, guarded),
                "id": event_id,
                "kind": KIND,
                "ttl": TTL,
                WRITTEN: moment,
                "topic": topic,
                "partition_key": key,
                "sequence": next_sequence(guarded),
                "envelope": envelope,
            }
        )

    def follow(
        self,
        event: Event[Any],
        container: str,
        guarded: MutableMapping[str, Any],
        *,
        event_type: str,
        data: Mapping[str, Any],
        source: str = SOURCE,
    ) -> Create:
        """The row of an event that handling `event` led to: it belongs to the same request, and names its cause."""
        return self.row(
            container,
            guarded,
            event_type=event_type,
            data=data,
            correlation_id=event.correlation_id,
            causation_id=event.id,
            source=source,
        )


def written_at(row: Mapping[str, Any]) -> str:
    """When a row was written. Those of an earlier version, gone after seven days, called it `created_at`."""
    found: str = row[WRITTEN] if WRITTEN in row else row["created_at"]
    return found


def next_sequence(guarded: MutableMapping[str, Any]) -> int:
    """Counts the aggregate's events; changes the document."""
    sequence: int = guarded.get(COUNTER, 0) + 1
    guarded[COUNTER] = sequence
    return sequence
