"""Frames and performatives of AMQP 1.0 (part 2, Transport; part 5.3, SASL), each field in its place."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

from infra.local.eventhubs.codec import (
    NULL,
    Described,
    Malformed,
    array,
    binary,
    boolean,
    decode,
    described,
    mapping,
    sequence,
    string,
    symbol,
    ubyte,
    uint,
    ulong,
    ushort,
)

SASL_HEADER: Final = b"AMQP\x03\x01\x00\x00"  # 5.3.1
AMQP_HEADER: Final = b"AMQP\x00\x01\x00\x00"  # 2.2
MAX_FRAME: Final = 65_536  # bytes
MAX_MESSAGE: Final = 1_048_576  # bytes: Event Hubs, standard tier
WINDOW: Final = 2**31 - 1
OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
SASL_INIT: Final = 0x41
_HEAD: Final = struct.Struct(">IBBH")  # 2.3.1: size, data offset, type, channel
_FRAME_OVERHEAD: Final = 512  # more than head and transfer performative take

ACCEPTED: Final = described(0x24, sequence([]))  # 3.4.2


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that came in. `code` 0: an empty one, which keeps the connection alive (2.4.5)."""

    channel: int
    code: int
    fields: list[Any]
    payload: bytes

    def field(self, place: int) -> Any:
        """A field by position; a peer may leave trailing nulls away (1.4)."""
        return self.fields[place] if place < len(self.fields) else None


def parse(body: bytes, channel: int) -> Frame:
    """The body of a frame. Raises `Malformed`."""
    if not body:
        return Frame(channel, 0, [], b"")
    performative, at = decode(body)
    if not isinstance(performative, Described) or not isinstance(performative.value, list):
        raise Malformed("no performative")
    return Frame(channel, performative.descriptor, performative.value, body[at:])


def head(data: bytes) -> tuple[int, int, int]:
    """Size of the whole frame, offset of its body in bytes, channel. Raises `Malformed`."""
    size, offset, _, channel = _HEAD.unpack(data)
    if size > 2 * MAX_FRAME or size < 4 * offset or offset < 2:
        raise Malformed(f"a frame of {size} bytes")
    return size, 4 * offset, channel


def frame(channel: int, body: bytes, *, sasl: bool = False) -> bytes:
    """A frame as it goes out."""
    return _HEAD.pack(len(body) + 8, 2, int(sasl), channel) + body


def mechanisms() -> bytes:
    """5.3.3.1."""
    return described(0x40, sequence([array([symbol("ANONYMOUS"), symbol("MSSBCBS"), symbol("EXTERNAL")])]))


def outcome() -> bytes:
    """5.3.3.5: ok."""
    return described(0x44, sequence([ubyte(0), NULL]))


def opening(idle_milliseconds: int) -> bytes:
    """2.7.1."""
    limits = [uint(MAX_FRAME), ushort(255), uint(idle_milliseconds)]
    return described(OPEN, sequence([string("stand-in"), NULL, *limits, *[NULL] * 5]))


def begin(channel: int) -> bytes:
    """2.7.2, in answer to the peer's on this channel."""
    return described(BEGIN, sequence([ushort(channel), *[uint(n) for n in (0, WINDOW, WINDOW, 255)], *[NULL] * 3]))


def attach(name: str, handle: int, *, receives: bool, address: str | None, answers_to: str) -> bytes:
    """2.7.3. `address` None: the link is refused, the reason follows as `detach` (2.6.3)."""
    source, target = (answers_to, address) if receives else (address, answers_to)
    ends = [_source(source), _target(target)] if address is not None else [NULL, NULL]
    fields = [string(name), uint(handle), boolean(receives), ubyte(2), ubyte(0), *ends]
    counted = NULL if receives else uint(0)
    return described(
        ATTACH, sequence([*fields, NULL, boolean(False), counted, ulong(MAX_MESSAGE), *[NULL] * 2, mapping([])])
    )


def flow(next_incoming: int, next_outgoing: int, link: tuple[int, int, int] | None = None) -> bytes:
    """2.7.4. `link`: handle, delivery count, credit."""
    session = [uint(next_incoming), uint(WINDOW), uint(next_outgoing), uint(WINDOW)]
    own = [uint(value) for value in link] if link else [NULL] * 3
    return described(FLOW, sequence([*session, *own, uint(0), boolean(False), boolean(False), NULL]))


def transfers(handle: int, delivery: int, message: bytes) -> list[bytes]:
    """2.7.5, settled, in as many frames as the message needs (2.6.14)."""
    step = MAX_FRAME - _FRAME_OVERHEAD
    found = []
    for start in range(0, len(message), step):
        more = start + step < len(message)
        named = [uint(handle), uint(delivery), binary(delivery.to_bytes(4, "big")), uint(0)]
        flags = [boolean(True), boolean(more), NULL, NULL, boolean(False), boolean(False), boolean(False)]
        found.append(described(TRANSFER, sequence([*named, *flags])) + message[start : start + step])
    return found


def disposition(delivery: int, state: bytes) -> bytes:
    """2.7.6: settled, as the receiver."""
    return described(DISPOSITION, sequence([boolean(True), uint(delivery), uint(delivery), boolean(True), state, NULL]))


def detach(handle: int, problem: bytes = NULL) -> bytes:
    """2.7.7."""
    return described(DETACH, sequence([uint(handle), boolean(True), problem]))


def end() -> bytes:
    """2.7.8."""
    return described(END, sequence([NULL]))


def close(problem: bytes = NULL) -> bytes:
    """2.7.9."""
    return described(CLOSE, sequence([problem]))


def error(condition: str, text: str) -> bytes:
    """2.8.14."""
    return described(0x1D, sequence([symbol(condition), string(text), mapping([])]))


def rejected(condition: str, text: str) -> bytes:
    """3.4.3."""
    return described(0x25, sequence([error(condition, text)]))


def _source(address: str | None) -> bytes:
    """3.5.3, eleven fields."""
    return described(0x28, sequence([string(address or ""), *[NULL] * 10]))


def _target(address: str | None) -> bytes:
    """3.5.4, seven fields."""
    return described(0x29, sequence([string(address or ""), *[NULL] * 6]))
