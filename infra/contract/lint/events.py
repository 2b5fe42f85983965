"""The event contract: valid AsyncAPI, complete messages, and agreement with groups, operations and `x-emits`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema_rs

from infra.contract import check_events
from infra.contract.bundle import Json, walk
from infra.contract.lint.contract import EVENTS_ENTRY, Contract
from infra.contract.lint.registry import Found, rule

_SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "asyncapi-3.0.0.json"
_LISTS = ("x-producers", "x-consumers")
_TEXTS = ("name", "title", "summary", "description", "x-topic", "x-partition-key", "x-status")


def _messages(contract: Contract) -> Iterator[tuple[str, str, Json]]:
    for name, message in contract.events.get("components", {}).get("messages", {}).items():
        yield name, f"asyncapi/messages/{name}.yaml", message


@cache
def _asyncapi() -> Any:
    return jsonschema_rs.Draft7Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))


@rule("asyncapi-valid")
def valid(contract: Contract) -> Found:
    """The bundle is valid by the schema of AsyncAPI 3.0.0, and its references lead somewhere."""
    for error in _asyncapi().iter_errors(contract.events):
        where = "/".join(str(part) for part in error.instance_path)
        yield EVENTS_ENTRY, f"/{where}: {error.message[:200]}"
    for pointer, node in walk(contract.events):
        target = node.get("$ref") if isinstance(node, dict) else None
        if isinstance(target, str) and not _leads(contract.events, target):
            yield EVENTS_ENTRY, f"{pointer}: {target} leads nowhere"


def _leads(document: Any, target: str) -> bool:
    node = document
    for part in target.removeprefix("#/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True


@rule("event-complete")
def complete(contract: Contract) -> Found:
    """A message says topic, producers, consumers, partition key and status, has the envelope and one example."""
    for _, place, message in _messages(contract):
        for key in (*_TEXTS, *_LISTS):
            if not isinstance(message.get(key), list if key in _LISTS else str):
                yield place, f"{key} is missing"
        if not _has_envelope(message):
            yield place, "payload is not `allOf` EventEnvelope and its own event_type and data"
        if not any("payload" in example for example in message.get("examples", [])):
            yield place, "no example"
        if message.get("x-consumers") == [] and message.get("x-status") != "superseded":
            yield place, "nobody reads it: x-consumers is empty"


def _has_envelope(message: Json) -> bool:
    parts = (message.get("payload") or {}).get("allOf") or []
    if len(parts) != 2 or parts[0].get("$ref") != "#/components/schemas/EventEnvelope":
        return False
    narrowed = parts[1].get("properties", {})
    return "enum" in narrowed.get("event_type", {}) and "$ref" in narrowed.get("data", {})


@rule("event-agreement")
def agreement(contract: Contract) -> Found:
    """Every event has producers and readers; channels, groups, operations, keys and examples agree with it."""
    if list(complete(contract)):
        return  # what is not there cannot agree
    known = {name: place for name, place, _ in _messages(contract)}
    for sentence in check_events.faults(contract.events, {"paths": {}}):
        subject, _, message = sentence.partition(": ")
        yield known.get(subject, EVENTS_ENTRY), message if subject in known else sentence


@rule("event-orphan")
def orphan(contract: Contract) -> Found:
    """Every message and channel file is in use."""
    messages = {name for name, _, _ in _messages(contract)}
    shared = set(contract.events.get("components", {}).get("schemas", {}))
    channels = {channel.get("address") for channel in contract.events.get("channels", {}).values()}
    for place in contract.files:
        folder, stem = PurePosixPath(place).parent.as_posix(), PurePosixPath(place).stem
        known = {
            "asyncapi/messages": messages,
            "asyncapi/channels": channels,
            "asyncapi/components": shared,
            "asyncapi/components/schemas": shared,
        }.get(folder)
        if known is not None and stem not in known:
            yield place, "nothing refers to it"


@rule("emits-known")
def emits_known(contract: Contract) -> Found:
    """`x-emits` names events that exist and are still sent."""
    alive = {name for name, _, message in _messages(contract) if message.get("x-status") != "superseded"}
    for operation in contract.operations:
        for event in operation.document.get("x-emits", []):
            if event not in alive:
                yield operation.place, f"x-emits: {event} is no event that is sent"


@rule("event-description")
def description(contract: Contract) -> Found:
    """Every schema, property and channel of the events has a description."""
    for name, schema in contract.events.get("components", {}).get("schemas", {}).items():
        place = f"asyncapi/components/schemas/{name}.yaml"
        if place not in contract.files:
            continue  # shared with the HTTP contract, or the envelope, which the rules there look at
        if not str(schema.get("description") or "").strip():
            yield place, "description is missing"
        for prop, inner in (schema.get("properties") or {}).items():
            if not {"$ref", "anyOf", "description"} & set(inner):
                yield place, f"property {prop} has no description"
