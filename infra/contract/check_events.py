"""House rules of the event contract that AsyncAPI's own schema does not know.

An event's readers and writers are said in its message; consumer groups, operations and the HTTP contract's `x-emits`
must agree with it. `python -m infra.contract.check_events` prints every disagreement.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from jsonschema import Draft7Validator, FormatChecker

from infra.contract.bundle import ROOT, Json, bundle_asyncapi, bundle_openapi, load

STATUSES = ("planned", "active", "superseded")
_SENDERS_ONLY = {"admin", "auth"}  # rooms that send and read nothing


def faults(events: Json, http: Json) -> list[str]:
    """Everything that disagrees in the two bundles, one sentence each; empty when the contract is sound."""
    found = [*_messages(events), *_groups(events), *_operations(events), *_handlers(events), *_emitted(events, http)]
    return sorted({*found, *_examples(events)})


def _events(events: Json) -> dict[str, Json]:
    messages: dict[str, Json] = events["components"]["messages"]
    return messages


def _messages(events: Json) -> Iterator[str]:
    for name, message in _events(events).items():
        topic = message["x-topic"]
        if name not in events["channels"].get(topic, {}).get("messages", {}):
            yield f"{name}: channel {topic} does not list it"
        if message["name"] != name or _narrowed(message)["event_type"]["enum"] != [name]:
            yield f"{name}: file name, `name` and `event_type` differ"
        if _narrowed(message)["data"]["$ref"] != f"#/components/schemas/{name}Data":
            yield f"{name}: its data schema is not {name}Data"
        if message["x-status"] not in STATUSES:
            yield f"{name}: x-status is not one of {', '.join(STATUSES)}"
        superseded = message["x-status"] == "superseded"
        if superseded == bool(message["x-producers"]) or superseded == bool(message["x-consumers"]):
            yield f"{name}: an event has producers and consumers, a superseded one has neither"
        yield from _partition_key(name, message, events)
        if not set(message["x-producers"]) <= _senders(events):
            yield f"{name}: a producer is neither a room nor an agent"
    for topic, channel in events["channels"].items():
        for name in channel["messages"]:
            if name not in _events(events) or _events(events)[name]["x-topic"] != topic:
                yield f"{topic}: lists {name}, which belongs elsewhere"


def _narrowed(message: Json) -> Json:
    properties: Json = message["payload"]["allOf"][1]["properties"]
    return properties


def _senders(events: Json) -> set[str]:
    groups = events["x-consumer-groups"].items()
    return {entry.get("room", group) for group, entry in groups} | _SENDERS_ONLY


def _partition_key(name: str, message: Json, events: Json) -> Iterator[str]:
    key = message["x-partition-key"].removeprefix("/data/")
    if key not in events["components"]["schemas"][f"{name}Data"]["required"]:
        yield f"{name}: its partition key {message['x-partition-key']} is not a required property"


def _groups(events: Json) -> Iterator[str]:
    groups = events["x-consumer-groups"]
    topics: dict[str, set[str]] = {name: set() for name in groups}
    for name, message in _events(events).items():
        for group in message["x-consumers"]:
            if group not in groups:
                yield f"{name}: {group} is not in x-consumer-groups"
            else:
                topics[group].add(message["x-topic"])
        if message["x-consumers"] != sorted(message["x-consumers"]):
            yield f"{name}: x-consumers is not in alphabetical order"
    for group, entry in groups.items():
        if set(entry["topics"]) != topics[group]:
            yield f"{group}: its topics should be {sorted(topics[group])}"
        if ("room" in entry) == ("agent" in entry):
            yield f"{group}: has either a room or an agent"


def _operations(events: Json) -> Iterator[str]:
    said: dict[str, set[str]] = {}
    for name, operation in events["operations"].items():
        topic = operation["channel"]["$ref"].removeprefix("#/channels/")
        who = operation.get("x-consumer-group") or operation.get("x-source")
        word = "by" if operation["action"] == "receive" else "from"
        if name != f"{operation['action']}-{topic}-{word}-{who}":
            yield f"{name}: should be named {operation['action']}-{topic}-{word}-{who}"
        said[name] = {ref["$ref"].rsplit("/", 1)[1] for ref in operation["messages"]}
    meant = _meant_operations(events)
    for name in said.keys() | meant.keys():
        if said.get(name) != meant.get(name):
            listed, wanted = sorted(said.get(name, ())), sorted(meant.get(name, ()))
            yield f"operation {name}: lists {listed}, the messages say {wanted}"


def _meant_operations(events: Json) -> dict[str, set[str]]:
    meant: dict[str, set[str]] = {}
    for name, message in _events(events).items():
        for group in message["x-consumers"]:
            meant.setdefault(f"receive-{message['x-topic']}-by-{group}", set()).add(name)
        for producer in message["x-producers"]:
            meant.setdefault(f"send-{message['x-topic']}-from-{source(producer)}", set()).add(name)
    return meant


def source(producer: str) -> str:
    """The `source` in the envelope of what a producer sends: an agent's name, or `crud-service` for a room."""
    return producer if "-" in producer else "crud-service"


def _handlers(events: Json) -> Iterator[str]:
    """A room has one `on_<event>` for an event, so no two groups may bring the same event to one room."""
    seen: dict[tuple[str, str], str] = {}
    for name, message in _events(events).items():
        for group in message["x-consumers"]:
            entry = events["x-consumer-groups"].get(group, {})
            room = entry.get("room") or (entry.get("played_by") if name in entry.get("plays", ()) else None)
            if room and seen.setdefault((room, name), group) != group:
                yield f"{name}: reaches room {room} through {group} and {seen[room, name]}"
    for group, entry in events["x-consumer-groups"].items():
        for name in entry.get("plays", ()):
            if group not in _events(events).get(name, {}).get("x-consumers", ()):
                yield f"{group}: plays {name}, which it does not read"


def _emitted(events: Json, http: Json) -> Iterator[str]:
    for item in http["paths"].values():
        for operation in item.values():
            for name in operation.get("x-emits", ()):
                message = _events(events).get(name)
                if message is None or message["x-status"] == "superseded":
                    yield f"{operation['operationId']}: emits {name}, which is no event"


def _examples(events: Json) -> Iterator[str]:
    for name, message in _events(events).items():
        schema = {**message["payload"], "components": events["components"]}
        for example in message["examples"]:
            for error in Draft7Validator(schema, format_checker=FormatChecker()).iter_errors(example["payload"]):
                yield f"{name}: example at /{'/'.join(map(str, error.absolute_path))}: {error.message}"


def unsound_sources() -> list[str]:
    """Message files that no channel lists, which the bundle therefore does not have."""
    listed = {
        name for path in sorted((ROOT / "asyncapi" / "channels").glob("*.yaml")) for name in load(path)["messages"]
    }
    return [
        f"{p.stem}: no channel lists it"
        for p in sorted((ROOT / "asyncapi" / "messages").glob("*.yaml"))
        if p.stem not in listed
    ]


def main() -> int:
    """Prints every fault and answers the exit code."""
    found = [*unsound_sources(), *faults(bundle_asyncapi(), bundle_openapi())]
    print("\n".join(found) if found else "events: ok", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
