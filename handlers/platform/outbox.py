"""Events are written as rows in the batch of the change they tell of (decisions 36, 51); a relay publishes them later.

A row is only ever inserted, and ends by itself after seven days. Its `sequence` comes from a counter in the aggregate
itself (`event_sequence`), so the relay can publish in order and notice a gap; the guarded document must therefore be
written in the same batch, guarded by its etag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

from generated.containers import CONTAINERS, Container
from handlers.platform.clock import Clock, SystemClock, timestamp
from handlers.platform.ids import new_id
from handlers.platform.store.port import Create, Json, StoreMisuse
from handlers.platform.store.values import value_at

KIND: Final = "outbox"
COUNTER: Final = "event_sequence"
TTL: Final = 7 * 24 * 3600  # seconds; long enough to publish after an outage of days
SOURCE: Final = "crud-service"
VERSION: Final = "1.0"

Validate = Callable[[Json], None]


def _accept(_: Json) -> None:
    """No validation: for tests, and until the generated events are plugged in."""


class Outbox:
    """Builds outbox rows. `validate` refuses an envelope that does not fit the event contract by raising."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        validate: Validate = _accept,
        containers: Mapping[str, Container] = CONTAINERS,
    ) -> None:
        self._clock = clock or SystemClock()
        self._validate = validate
        self._containers = containers

    def row(
        self,
        container: str,
        guarded: MutableMapping[str, Any],
        *,
        topic: str,
        event_type: str,
        data: Mapping[str, Any],
        key: str,
        correlation_id: str,
        causation_id: str | None = None,
        source: str = SOURCE,
    ) -> Create:
        """The row for the same batch as `guarded`, whose `event_sequence` goes up by one here.

        `key`: the partition key on the topic, the aggregate's id. `correlation_id`: the request's id. `causation_id`:
        the event this one follows from; none means that the request itself led to it. `source`: the agent's name, when
        a built-in participant stands in for one.
        """
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
                **self._partition_fields(container, guarded),
                "id": event_id,
                "kind": KIND,
                "ttl": TTL,
                "created_at": moment,
                "topic": topic,
                "partition_key": key,
                "sequence": next_sequence(guarded),
                "envelope": envelope,
            }
        )

    def _partition_fields(self, container: str, guarded: Mapping[str, Any]) -> Json:
        """The fields that put the row into the guarded document's partition."""
        fields: Json = {}
        for path in self._containers[container].partition_key:
            *above, leaf = path.split(".")
            place = fields
            for segment in above:
                place = place.setdefault(segment, {})
            place[leaf] = value_at(guarded, path.split("."))
        return fields


def next_sequence(guarded: MutableMapping[str, Any]) -> int:
    """Counts the aggregate's events; changes the document."""
    sequence: int = guarded.get(COUNTER, 0) + 1
    guarded[COUNTER] = sequence
    return sequence
