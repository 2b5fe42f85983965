"""Messages (AMQP 1.0, part 3.2): parts of them that the broker reads, and the annotations that it puts in."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.eventhubs.codec import (
    NULL,
    Described,
    Malformed,
    decode,
    described,
    identifier,
    int32,
    long,
    mapping,
    sequence,
    string,
    symbol,
    timestamp,
)

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION, DATA, SEQUENCE, VALUE, FOOTER = range(0x70, 0x79)
BATCH_FORMAT: Final = 0x80013700  # the message's data sections are messages themselves
_KEY: Final = "x-opt-partition-key"
_U32: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections of a message by their codes; `data` in order, `raw` the bytes of the others as they came."""

    values: dict[int, Any]
    raw: dict[int, bytes]
    data: list[bytes] = field(default_factory=list)

    @property
    def partition_key(self) -> str | None:
        """What the sender wants the partition to be chosen by."""
        found = (self.values.get(ANNOTATIONS) or {}).get(_KEY)
        return found if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in a partition. `sequence` counts from 0, `at` is in milliseconds since 1970.

    `start`, `rest`: the bytes before and behind the annotations; `own`: the sender's annotations, `pairs` of them.
    """

    sequence: int
    at: int
    key: str | None
    start: bytes
    own: bytes
    pairs: int
    rest: bytes

    @property
    def offset(self) -> str:
        """A name of its place that only the broker reads. Far from the sequence, so that nobody mixes them up."""
        return str(offset_of(self.sequence))

    def encoded(self, last: Stored | None) -> bytes:
        """As a reader gets it. `last`: the partition's last message, for readers that asked for it."""
        added = [
            (symbol("x-opt-sequence-number"), long(self.sequence)),
            (symbol("x-opt-offset"), string(self.offset)),
            (symbol("x-opt-enqueued-time"), timestamp(self.at)),
        ]
        body = self.own + b"".join(name + value for name, value in added)
        count = _U32.pack(2 * (self.pairs + len(added)))
        annotations = b"\xd1" + _U32.pack(len(body) + 4) + count + body
        return self.start + _runtime(last) + described(ANNOTATIONS, annotations) + self.rest


def offset_of(sequence_number: int) -> int:
    """The offset of a sequence number."""
    return sequence_number * 1000 + 7


def parse(message: bytes) -> Sections:
    """A message's sections. Raises `Malformed`."""
    found = Sections({}, {})
    at = 0
    while at < len(message):
        section, end = decode(message, at)
        if not isinstance(section, Described):
            raise Malformed("no section of a message")
        if section.descriptor == DATA:
            found.data.append(section.value)
        found.values[section.descriptor] = section.value
        found.raw[section.descriptor] = found.raw.get(section.descriptor, b"") + message[at:end]
        at = end
    return found


def unpacked(message: bytes, message_format: int) -> tuple[str | None, list[bytes]]:
    """The partition key of a delivery, and its messages. Raises `Malformed`."""
    sections = parse(message)
    if message_format != BATCH_FORMAT:
        return sections.partition_key, [message]
    if not sections.data:
        return sections.partition_key, []
    return sections.partition_key or parse(sections.data[0]).partition_key, sections.data


def stored(message: bytes, number: int, at: int) -> Stored:
    """A message on its way into a partition. Raises `Malformed`."""
    sections = parse(message)
    own, pairs = _pairs(sections.raw.get(ANNOTATIONS, b""))
    rest = b"".join(sections.raw.get(code, b"") for code in (PROPERTIES, APPLICATION, DATA, SEQUENCE, VALUE, FOOTER))
    return Stored(number, at, sections.partition_key, sections.raw.get(HEADER, b""), own, pairs, rest)


def answer(correlation_id: Any, status: int, text: str, value: bytes = NULL) -> bytes:
    """An answer of `$cbs` or `$management`, of which each reads its own spelling of the status."""
    properties = sequence([*[NULL] * 5, identifier(correlation_id), *[NULL] * 7])
    application = mapping(
        [
            (string("status-code"), int32(status)),
            (string("status-description"), string(text)),
            (string("statusCode"), int32(status)),
            (string("statusDescription"), string(text)),
        ]
    )
    return described(PROPERTIES, properties) + described(APPLICATION, application) + described(VALUE, value)


def named(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    """A map with names for keys."""
    return mapping((string(name), value) for name, value in pairs)


def _pairs(section: bytes) -> tuple[bytes, int]:
    """The bytes of a map's content and the number of pairs, so that they go on as they are."""
    if not section:
        return b"", 0
    _, start = decode(section, 1)  # behind the descriptor
    if section[start] == 0xC1:
        return section[start + 3 :], section[start + 2] // 2
    return section[start + 9 :], _U32.unpack_from(section, start + 5)[0] // 2


def _runtime(last: Stored | None) -> bytes:
    if last is None:
        return b""
    pairs = [
        (symbol("last_enqueued_sequence_number"), long(last.sequence)),
        (symbol("last_enqueued_offset"), string(last.offset)),
        (symbol("last_enqueued_time_utc"), timestamp(last.at)),
        (symbol("runtime_info_retrieval_time_utc"), timestamp(last.at)),
    ]
    return described(DELIVERY_ANNOTATIONS, mapping(pairs))
