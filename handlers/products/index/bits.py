"""Sets of slots as integers, and the postings of a term: the slots of the products that have it."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

Bits = int

# Up to so many slots a list takes less room and time than a set of bits.
FEW: Final = 32


def positions(bits: Bits) -> list[int]:
    """The slots of a set, ascending."""
    found: list[int] = []
    words = (bits.bit_length() + 63) // 64
    for index, word in enumerate(struct.unpack(f"<{words}Q", bits.to_bytes(words * 8, "little"))):
        base, left = index * 64 - 1, word
        while left:
            found.append(base + (left & -left).bit_length())
            left &= left - 1
    return found


def union(slots: Iterable[int], size: int) -> Bits:
    """The set of the slots, each below `size`."""
    buffer = bytearray((size >> 3) + 1)
    for slot in slots:
        buffer[slot >> 3] |= 1 << (slot & 7)
    return int.from_bytes(buffer, "little")


class Postings:
    """The slots of one term: a short list, or bits once there are many."""

    __slots__ = ("_bits", "_buffer", "_few")

    def __init__(self) -> None:
        self._few: list[int] | None = []
        self._buffer = bytearray()
        self._bits: Bits | None = None

    def add(self, slot: int) -> None:
        """Adds a slot that is not there yet."""
        if self._few is not None:
            self.extend([slot])
            return
        index = slot >> 3
        if index >= len(self._buffer):
            self._buffer.extend(bytes(index + 1 + (index >> 3) - len(self._buffer)))
        self._buffer[index] |= 1 << (slot & 7)
        self._bits = None

    def extend(self, slots: list[int]) -> None:
        """Adds slots that are not there yet, in any order."""
        if self._few is not None:
            if len(self._few) + len(slots) <= FEW:
                self._few.extend(slots)
                return
            slots, self._few = [*self._few, *slots], None
        buffer = self._buffer
        missing = (max(slots) >> 3) + 1 - len(buffer)
        if missing > 0:
            buffer.extend(bytes(missing))
        for slot in slots:
            buffer[slot >> 3] |= 1 << (slot & 7)
        self._bits = None

    def discard(self, slot: int) -> None:
        """Removes a slot that is there."""
        if self._few is not None:
            self._few.remove(slot)
            return
        self._buffer[slot >> 3] &= ~(1 << (slot & 7))
        self._bits = None

    def bits(self) -> Bits:
        """The slots as a set. Kept until the next change."""
        if self._few is not None:
            return union(self._few, max(self._few) + 1) if self._few else 0
        if self._bits is None:
            self._bits = int.from_bytes(self._buffer, "little")
        return self._bits

    def count_in(self, bits: Bits, data: bytes) -> int:
        """How many slots are in `bits`, whose bytes `data` are."""
        if self._few is None:
            return (self.bits() & bits).bit_count()
        length = len(data) * 8
        return sum(1 for slot in self._few if slot < length and data[slot >> 3] >> (slot & 7) & 1)

    def spill(self, slots: list[int]) -> Bits:
        """Appends the slots to the list when they are few and answers 0, else answers them as a set."""
        if self._few is None:
            return self.bits()
        slots.extend(self._few)
        return 0

    def __bool__(self) -> bool:
        return bool(self._few) if self._few is not None else self.bits() != 0


def contents(bits: Bits) -> bytes:
    """The bytes of a set, lowest slots first, for single look-ups."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")
