"""Products like another one: of the same category, with as many of the same attributes as possible."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.products.index.bits import Bits
from handlers.products.index.index import Index


def by_likeness(index: Index, slot: int, candidates: Bits) -> list[Bits]:
    """The candidates in sets, those that share most attributes and the brand first.

    How many terms each product shares is summed for all of them at once, in binary: `sums[i]` holds the i-th digit.
    """
    sums: list[Bits] = []
    for term in index.terms_of(slot, "ab"):
        carry = index.having(term) & candidates
        for digit, bits in enumerate(sums):
            sums[digit], carry = bits ^ carry, bits & carry
        if carry:
            sums.append(carry)
    return [level for level in _levels(sums, candidates) if level]


def _levels(sums: list[Bits], candidates: Bits) -> Iterable[Bits]:
    for amount in range((1 << len(sums)) - 1, -1, -1):
        level = candidates
        for digit, bits in enumerate(sums):
            level &= bits if amount >> digit & 1 else ~bits
        yield level
