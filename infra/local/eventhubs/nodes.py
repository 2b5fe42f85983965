"""The nodes `$cbs` and `$management`: what they are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.eventhubs import messages
from infra.local.eventhubs.codec import array, boolean, identifier, int32, long, string, timestamp
from infra.local.eventhubs.hubs import Hub, Partition
from infra.local.eventhubs.tokens import Gate, Refused

CBS: Final = "$cbs"
MANAGEMENT: Final = "$management"
_HUB: Final = "com.microsoft:eventhub"
_PARTITION: Final = "com.microsoft:partition"


def answer(node: str, request: messages.Sections, gate: Gate, hubs: Mapping[str, Hub]) -> bytes:
    """The answer to a request, as a message."""
    asked: dict[str, Any] = request.values.get(messages.APPLICATION) or {}
    properties: list[Any] = request.values.get(messages.PROPERTIES) or [None]
    status, text, value = _cbs(request, asked, gate) if node == CBS else _management(asked, gate, hubs)
    return messages.answer(properties[0], status, text, value)


def _cbs(request: messages.Sections, asked: Mapping[str, Any], gate: Gate) -> tuple[int, str, bytes]:
    if asked.get("operation") != "put-token":
        return 400, "the operation is not known", identifier(None)
    try:
        gate.admit(str(request.values.get(messages.VALUE)), str(asked.get("type")), str(asked.get("name")))
    except Refused as refused:
        return 401, f"InvalidSignature: {refused}", identifier(None)
    return 202, "Accepted", identifier(None)


def _management(asked: Mapping[str, Any], gate: Gate, hubs: Mapping[str, Hub]) -> tuple[int, str, bytes]:
    name = str(asked.get("name"))
    if not gate.lets(name):
        return 401, "Unauthorized", identifier(None)
    hub = hubs.get(name.lower())
    if hub is None:
        return 404, f"the messaging entity '{name}' could not be found", identifier(None)
    if asked.get("operation") != "READ":
        return 400, "the operation is not known", identifier(None)
    if asked.get("type") == _HUB:
        return 200, "OK", _describe(hub)
    partition = hub.partition(str(asked.get("partition"))) if asked.get("type") == _PARTITION else None
    if partition is None:
        return 400, "there is no such partition", identifier(None)
    return 200, "OK", _describe_partition(hub, partition)


def _describe(hub: Hub) -> bytes:
    return messages.named(
        [
            ("name", string(hub.name)),
            ("type", string(_HUB)),
            ("created_at", timestamp(hub.created)),
            ("partition_count", int32(len(hub.partitions))),
            ("partition_ids", array(string(str(partition.number)) for partition in hub.partitions)),
        ]
    )


def _describe_partition(hub: Hub, partition: Partition) -> bytes:
    last = partition.log[-1] if partition.log else None
    return messages.named(
        [
            ("name", string(hub.name)),
            ("type", string(_PARTITION)),
            ("partition", string(str(partition.number))),
            ("begin_sequence_number", long(partition.first)),
            ("last_enqueued_sequence_number", long(partition.end - 1)),
            ("last_enqueued_offset", string(last.offset if last is not None else "-1")),
            ("last_enqueued_time_utc", timestamp(last.at if last is not None else 0)),
            ("is_partition_empty", boolean(not partition.log)),
        ]
    )
