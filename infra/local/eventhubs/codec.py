"""Values of AMQP 1.0 (part 1, Types) to and from bytes, as far as Event Hubs and its clients use them.

Encoders answer bytes, so that composites are put together from them. All are full width: the Python SDK reads frames by
position and knows only the wide list (0xD0) and the one-byte list (0xC0).
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

_U32: Final = struct.Struct(">I")
NULL: Final = b"\x40"


class Malformed(Exception):
    """These bytes are no AMQP value, or one that is not known here."""


@dataclass(frozen=True, slots=True)
class Described:
    """A described value (1.2): performatives, sections of a message, filters, outcomes."""

    descriptor: Any
    value: Any


# --- encoding ---------------------------------------------------------------------------------------------------------


def boolean(value: bool) -> bytes:
    """1.6.2."""
    return b"\x41" if value else b"\x42"


def ubyte(value: int) -> bytes:
    """1.6.3."""
    return b"\x50" + value.to_bytes(1, "big")


def ushort(value: int) -> bytes:
    """1.6.4."""
    return b"\x60" + value.to_bytes(2, "big")


def uint(value: int) -> bytes:
    """1.6.5."""
    return b"\x70" + value.to_bytes(4, "big")


def ulong(value: int) -> bytes:
    """1.6.6."""
    return b"\x80" + value.to_bytes(8, "big")


def int32(value: int) -> bytes:
    """1.6.9."""
    return b"\x71" + value.to_bytes(4, "big", signed=True)


def long(value: int) -> bytes:
    """1.6.10."""
    return b"\x81" + value.to_bytes(8, "big", signed=True)


def timestamp(milliseconds: int) -> bytes:
    """1.6.17, since 1970."""
    return b"\x83" + milliseconds.to_bytes(8, "big", signed=True)


def binary(value: bytes) -> bytes:
    """1.6.19."""
    return b"\xb0" + _U32.pack(len(value)) + value


def string(value: str) -> bytes:
    """1.6.20."""
    raw = value.encode()
    return b"\xb1" + _U32.pack(len(raw)) + raw


def symbol(value: str) -> bytes:
    """1.6.21."""
    raw = value.encode("ascii")
    return b"\xb3" + _U32.pack(len(raw)) + raw


def sequence(items: Iterable[bytes]) -> bytes:
    """A list (1.6.22) of encoded values."""
    return _compound(b"\xd0", [*items])


def mapping(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A map (1.6.23) of encoded keys and values."""
    return _compound(b"\xd1", [part for pair in pairs for part in pair])


def array(items: Iterable[bytes]) -> bytes:
    """An array (1.6.24) of values of one type, of which each brings its constructor."""
    values = [*items]
    body = values[0][:1] + b"".join(value[1:] for value in values)
    return b"\xf0" + _U32.pack(len(body) + 4) + _U32.pack(len(values)) + body


def described(code: int, value: bytes) -> bytes:
    """A value under a numeric descriptor, which is of one byte: the Python SDK looks no further."""
    return b"\x00\x53" + code.to_bytes(1, "big") + value


def identifier(value: Any) -> bytes:
    """A message id (3.2.11 to 3.2.14) as it came."""
    match value:
        case None:
            return NULL
        case uuid.UUID():
            return b"\x98" + value.bytes
        case int():
            return ulong(value)
        case bytes():
            return binary(value)
    return string(value)


def _compound(constructor: bytes, parts: list[bytes]) -> bytes:
    body = b"".join(parts)
    return constructor + _U32.pack(len(body) + 4) + _U32.pack(len(parts)) + body


# --- decoding ---------------------------------------------------------------------------------------------------------


def decode(data: bytes, at: int = 0) -> tuple[Any, int]:
    """The value at a place, and the place behind it. Raises `Malformed`."""
    try:
        return _decode(data, at)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise Malformed(f"at byte {at}") from error


def _decode(data: bytes, at: int) -> tuple[Any, int]:
    constructor = data[at]
    if constructor == 0:
        descriptor, at = _decode(data, at + 1)
        value, at = _decode(data, at)
        return Described(descriptor, value), at
    return _body(constructor, data, at + 1)


def _body(constructor: int, data: bytes, at: int) -> tuple[Any, int]:
    if constructor in _CONSTANTS:
        return _CONSTANTS[constructor](), at
    if constructor in _FIXED:
        kind = _FIXED[constructor]
        return kind.unpack_from(data, at)[0], at + kind.size
    if constructor == 0x98:
        return uuid.UUID(bytes=data[at : at + 16]), at + 16
    width = 4 if constructor & 0x10 else 1
    size = int.from_bytes(data[at : at + width], "big")
    start, end = at + width, at + width + size
    if end > len(data):
        raise Malformed(f"{size} bytes are announced, fewer are there")
    return _variable(constructor & 0xEF, data, start, end, width), end


def _variable(kind: int, data: bytes, start: int, end: int, width: int) -> Any:
    match kind:
        case 0xA0:
            return data[start:end]
        case 0xA1 | 0xA3:
            return data[start:end].decode()
    count, at = int.from_bytes(data[start : start + width], "big"), start + width
    if kind == 0xE0:
        return _array(data, at, count)
    items = []
    for _ in range(count):
        value, at = _decode(data, at)
        items.append(value)
    if kind == 0xC0:
        return items
    if kind == 0xC1:
        return dict(zip(items[::2], items[1::2], strict=True))
    raise KeyError(kind)


def _array(data: bytes, at: int, count: int) -> list[Any]:
    constructor, at = data[at], at + 1
    items = []
    for _ in range(count):
        value, at = _body(constructor, data, at)
        items.append(value)
    return items


_CONSTANTS: Final[dict[int, Callable[[], Any]]] = {
    0x40: lambda: None,
    0x41: lambda: True,
    0x42: lambda: False,
    0x43: lambda: 0,
    0x44: lambda: 0,
    0x45: list,
}
_FIXED: Final = {
    0x56: struct.Struct(">?"),
    0x50: struct.Struct(">B"),
    0x51: struct.Struct(">b"),
    0x52: struct.Struct(">B"),
    0x53: struct.Struct(">B"),
    0x54: struct.Struct(">b"),
    0x55: struct.Struct(">b"),
    0x60: struct.Struct(">H"),
    0x61: struct.Struct(">h"),
    0x70: _U32,
    0x71: struct.Struct(">i"),
    0x72: struct.Struct(">f"),
    0x80: struct.Struct(">Q"),
    0x81: struct.Struct(">q"),
    0x82: struct.Struct(">d"),
    0x83: struct.Struct(">q"),
}
