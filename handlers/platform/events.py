"""The event contract at run time: what an event is, its envelope and attributes, and whether it fits.

The tables and schemas come from AsyncAPI (`generated/events.py`, `generated/asyncapi.json`); validators are compiled at
the first event of a name. Checked twice: before an event is written into the outbox, and before a consumer handles it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import jsonschema_rs
import orjson

from generated.events import EVENTS, EventSpec
from handlers.platform.bus.port import Message
from handlers.platform.clock import moment
from handlers.platform.store.values import value_at

Json = dict[str, Any]
D = TypeVar("D")

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "generated" / "asyncapi.json"
MAJOR: Final = "1"  # of `event_version`; a change that readers would notice is a new event, so 1 is all there is
ID: Final = "cloudEvents:id"
TYPE: Final = "cloudEvents:type"
REPLAY_FOR: Final = "cloudEvents:replayfor"  # the one group that a replayed dead letter is meant for
_PREFIX: Final = "com.holidaypeakhub."
_TYPE: Final = re.compile(r"com\.holidaypeakhub\.([A-Za-z]{1,64})\.v([0-9]{1,4})\Z")


class EventMismatch(ValueError):
    """An envelope does not fit the event contract. Says where, never with which value."""


class EventNewer(EventMismatch):
    """An envelope fits but for values that its enums do not have here: whoever sent it knows a newer contract."""


@dataclass(frozen=True, slots=True)
class Event(Generic[D]):
    """An event as a handler receives it. `data` fits its schema; `key` is the aggregate's id, `group` the reader.

    `replayed`: an administrator has sent it again, after it had been a dead letter.
    """

    id: str
    type: str
    version: str
    timestamp: str
    source: str
    data: D
    correlation_id: str
    causation_id: str
    group: str
    topic: str
    key: str
    replayed: bool = False

    @classmethod
    def of(cls, envelope: Json, *, group: str, topic: str, key: str, replayed: bool = False) -> Event[D]:
        """The event in an envelope, as a group receives it from a topic."""
        return cls(
            id=envelope["event_id"],
            type=envelope["event_type"],
            version=envelope["event_version"],
            timestamp=envelope["timestamp"],
            source=envelope["source"],
            data=envelope["data"],
            correlation_id=envelope["correlation_id"],
            causation_id=envelope["causation_id"],
            group=group,
            topic=topic,
            key=key,
            replayed=replayed,
        )

    @property
    def happened_at(self) -> float:
        """When it happened, in seconds since 1970."""
        return moment(self.timestamp).timestamp()


class EventContract:
    """The events there are. `document` is the bundled AsyncAPI document."""

    def __init__(self, document: Json, events: Mapping[str, EventSpec] = EVENTS) -> None:
        self.events = events
        self._messages: Json = document["components"]["messages"]
        self._schemas = _plain(document["components"]["schemas"])
        self._validators: dict[str, jsonschema_rs.Draft7Validator] = {}

    @classmethod
    def load(cls) -> EventContract:
        """The contract of this version of the program."""
        return cls(orjson.loads(DOCUMENT.read_bytes()))

    def check(self, envelope: Json) -> None:
        """Raises `EventMismatch` for an envelope that does not fit, or an event that there is none of.

        `EventNewer` where nothing but unknown values of enums in its data is the matter.
        """
        event_type = envelope.get("event_type")
        if not isinstance(event_type, str) or event_type not in self.events:
            raise EventMismatch("there is no such event")
        errors = list(self._validator(event_type).iter_errors(envelope))
        if errors:
            kind = EventNewer if all(map(_is_newer, errors)) else EventMismatch
            raise kind(f"{event_type}: " + "; ".join(map(_place, errors[:5])))

    def spec(self, event_type: str) -> EventSpec:
        """Where an event goes. Raises `EventMismatch` when there is no such event."""
        found = self.events.get(event_type)
        if found is None:
            raise EventMismatch(f"{event_type}: there is no such event")
        return found

    def key(self, event_type: str, data: Mapping[str, Any]) -> str:
        """The partition key, which is the id that the contract points to."""
        spec = self.spec(event_type)
        key = value_at(data, spec.partition_key.removeprefix("/data/").split("/"))
        if not isinstance(key, str) or not key:
            raise EventMismatch(f"{event_type}: nothing at {spec.partition_key}")
        return key

    def _validator(self, event_type: str) -> jsonschema_rs.Draft7Validator:
        found = self._validators.get(event_type)
        if found is None:
            schema = {**_plain(self._messages[event_type]["payload"]), "components": {"schemas": self._schemas}}
            found = jsonschema_rs.Draft7Validator(schema, validate_formats=True, formats={"decimal": lambda _: True})
            self._validators[event_type] = found
        return found


def message_of(row: Mapping[str, Any]) -> Message:
    """An outbox row as it goes on the bus: the envelope, and CloudEvents 1.0 attributes beside it."""
    envelope: Json = row["envelope"]
    attributes = {
        "cloudEvents:specversion": "1.0",
        ID: envelope["event_id"],
        TYPE: f"{_PREFIX}{envelope['event_type']}.v{envelope['event_version'].partition('.')[0]}",
        "cloudEvents:source": f"/{envelope['source']}",
        "cloudEvents:time": envelope["timestamp"],
        "cloudEvents:subject": row["partition_key"],
        "cloudEvents:correlationid": envelope["correlation_id"],
        "cloudEvents:causationid": envelope["causation_id"],
        "cloudEvents:sequence": str(row["sequence"]),
    }
    if "replay_for" in row:
        attributes[REPLAY_FOR] = row["replay_for"]
    return Message(row["partition_key"], orjson.dumps(envelope), attributes)


def type_of(attributes: Mapping[str, str]) -> tuple[str, str]:
    """Name and major version from a message's attributes; empty texts when they say neither."""
    found = _TYPE.match(attributes.get(TYPE, ""))
    return (found[1], found[2]) if found else ("", "")


def _place(error: Any) -> str:
    """Where and what is wrong. The library's messages quote the value, which may be anybody's address."""
    return f"/{'/'.join(map(str, error.instance_path))} fails {'/'.join(map(str, error.schema_path[-2:]))}"


def _is_newer(error: Any) -> bool:
    """Whether a value of the data is one that an enum does not have yet."""
    return list(error.instance_path[:1]) == ["data"] and list(error.schema_path[-1:]) == ["enum"]


def _plain(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a type."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _plain(value) for key, value in node.items() if key not in ("example", "examples", "nullable")}
    if node.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema
