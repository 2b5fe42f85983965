"""A contract of the suite's own: one event about things, two groups that hear of it."""

from __future__ import annotations

from typing import Any, Final

from generated.containers import CONTAINERS, Container
from generated.events import EventSpec, TopicSpec
from handlers.platform.events import EventContract

TOPIC: Final = "thing-events"
EVENT: Final = "ThingChanged"
GROUPS: Final = ("counters", "mirrors")
TOPICS: Final = {TOPIC: TopicSpec(partitions=4, retention_hours=168)}
EVENTS: Final = {EVENT: EventSpec(TOPIC, "/data/thing_id", GROUPS, "ThingChangedData", True)}

STORED: Final = {
    "things": Container("things", ("thing_id",), kinds={"outbox": 604800}),
    "effects": Container("effects", ("thing_id",), kinds={"inbox": 691200}),
    **{name: CONTAINERS[name] for name in ("leases", "checkpoints", "dead_letters")},
}

_TEXT: Final = {"type": "string", "minLength": 1}
_DOCUMENT: Final[dict[str, Any]] = {
    "components": {
        "messages": {
            EVENT: {
                "payload": {
                    "type": "object",
                    "required": ["event_id", "event_type", "event_version", "timestamp", "source", "data"],
                    "properties": {
                        "event_id": _TEXT,
                        "event_version": {"type": "string", "pattern": "^1[.][0-9]+$"},
                        "data": {"$ref": "#/components/schemas/ThingChangedData"},
                    },
                }
            }
        },
        "schemas": {
            "ThingChangedData": {
                "type": "object",
                "required": ["thing_id", "number"],
                "properties": {
                    "thing_id": _TEXT,
                    "number": {"type": "integer"},
                    "poison": {"type": "boolean"},
                    "colour": {"type": "string", "enum": ["red", "green"]},
                },
            }
        },
    }
}


def contract() -> EventContract:
    """The small event contract."""
    return EventContract(_DOCUMENT, EVENTS)
