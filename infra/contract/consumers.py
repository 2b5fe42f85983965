"""What the worker needs to know of the event contract: events, topics, consumer groups, and who must handle what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.contract.bundle import Json
from infra.contract.policy import BANNER
from infra.contract.routing import built

_CLASSES = '''

@dataclass(frozen=True, slots=True)
class EventSpec:
    """Where an event goes and who reads it. `partition_key` points into the envelope."""

    topic: str
    partition_key: str
    groups: tuple[str, ...]
    data: str
    built: bool


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic: its partitions, and for how many hours it keeps events."""

    partitions: int
    retention_hours: int


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A consumer group. `room` handles its `events`; for an agent's group, those that `room` plays meanwhile."""

    room: str | None
    agent: str | None
    topics: tuple[str, ...]
    events: tuple[str, ...]

'''


def render_table(document: Json, data: dict[str, str]) -> str:
    """The tables at the end of `generated/events.py`. `data` names the data schema of each event."""
    lines = [_CLASSES, "EVENTS: Final[dict[str, EventSpec]] = {"]
    for name, message in document["components"]["messages"].items():
        fields = (message["x-topic"], message["x-partition-key"], tuple(message["x-consumers"]), data[name])
        lines.append(f'    "{name}": EventSpec{(*fields, built(message))!r},')
    lines += ["}", "", "TOPICS: Final[dict[str, TopicSpec]] = {"]
    for topic, channel in document["channels"].items():
        lines.append(f'    "{topic}": TopicSpec({channel["x-partitions"]}, {channel["x-retention-hours"]}),')
    lines += ["}", "", "GROUPS: Final[dict[str, GroupSpec]] = {"]
    for group, entry in document["x-consumer-groups"].items():
        room, events = played(document, group)
        spec = (room, entry.get("agent"), tuple(entry["topics"]), tuple(events))
        lines.append(f'    "{group}": GroupSpec{spec!r},')
    lines += ["}", "", "EventType = Literal[", *(f'    "{name}",' for name in document["components"]["messages"]), "]"]
    return "\n".join([*lines, ""])


def played(document: Json, group: str) -> tuple[str | None, list[str]]:
    """The room that handles a group, and the events it handles there."""
    entry = document["x-consumer-groups"][group]
    if "room" not in entry:
        return entry.get("played_by"), sorted(entry.get("plays", ()))
    messages = document["components"]["messages"].items()
    return entry["room"], sorted(name for name, message in messages if group in message["x-consumers"])


def render_consumers(document: Json, data: dict[str, str]) -> str:
    """`generated/consumers.py`: a typed line for each handler that must be there, for mypy alone to read."""
    due = sorted(_due(document))
    rooms = sorted({room for room, _ in due})
    imports = ["from collections.abc import Awaitable, Callable", ""]
    imports += ["from generated import events as e"]
    imports += [f"from handlers.{room} import events as {room}" for room in rooms]
    imports += ["from handlers.contract.services import EventServices", "from handlers.platform.events import Event"]
    lines = [BANNER + "\n".join(imports), ""]
    names = [f"{room}_{handler_name(name)}" for room, name in due]
    for (room, name), own in zip(due, names, strict=True):
        takes = f"[Event[e.{data[name]}], EventServices]"
        lines.append(f"_{own}: Callable[{takes}, Awaitable[None]] = {room}.{handler_name(name)}")
    return "\n".join([*lines, "", '__all__ = ["Awaitable", "Callable", "Event", "EventServices", "e"]', ""])


def handler_name(event: str) -> str:
    """`OrderCreated` → `on_order_created`, `ETAUpdated` → `on_eta_updated`."""
    return "on_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", event).lower()


def _due(document: Json) -> Iterator[tuple[str, str]]:
    for group in document["x-consumer-groups"]:
        room, events = played(document, group)
        for name in events:
            if room is not None and document["components"]["messages"][name]["x-status"] == "active":
                yield room, name
