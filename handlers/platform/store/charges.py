"""Request units: what a request costs at Azure Cosmos DB, added up while it runs.

The embedded store estimates by published figures; the Cosmos adapter adds what the service reports. Source of the
sizes: learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption (session consistency). The rest is from
Microsoft's request charge pages, rounded: a query starts at 2.3, a delete costs what a write does, a replaced or
patched document about twice its index terms. An estimate, good for comparing operations, not for a bill.
"""

from __future__ import annotations

from bisect import bisect_left
from contextvars import ContextVar
from typing import Final

_KB: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
_READ: Final = (1.0, 1.04, 1.14, 1.33, 1.67, 2.19, 4.76, 9.95, 20.28, 40.95, 145.9, 291.8)
_WRITE: Final = (4.95, 6.29, 6.67, 7.04, 9.52, 11.23, 22.67, 48.19, 98.29, 184.57, 625.0, 1250.0)

_QUERY: Final = 2.3
_PER_MATCH: Final = 0.25  # loading one document of about 1 kB for a query, from the index lookup on
_PER_TERM: Final = 0.2  # keeping one index term
_MISS: Final = 1.0  # a point read that finds nothing still costs one


class Charges:
    """Request units and operations of one request."""

    __slots__ = ("operations", "units")

    def __init__(self) -> None:
        self.units = 0.0
        self.operations = 0

    def add(self, units: float) -> None:
        """Adds one operation of so many units."""
        self.units += units
        self.operations += 1


_current: ContextVar[Charges | None] = ContextVar("charges", default=None)


def begin() -> Charges:
    """Starts counting for this request: for the current task and those it starts. Answers the sum, which grows."""
    charges = Charges()
    _current.set(charges)
    return charges


def charge(units: float) -> None:
    """Adds an operation to the request under way; without one, nothing."""
    charges = _current.get()
    if charges is not None:
        charges.add(units)


def read_units(size: int) -> float:
    """A point read of a document of `size` bytes."""
    return _by_size(size, _READ) if size else _MISS


def write_units(size: int, terms: int, *, replaces: bool = False) -> float:
    """A write of a document of `size` bytes with `terms` indexed values, twice as many touched when one is replaced."""
    return _by_size(size, _WRITE) + _PER_TERM * terms * (2 if replaces else 1)


def query_units(documents: int, size: int, *, partitions: int = 1) -> float:
    """A query that loaded `documents` of `size` bytes together, asking so many physical partitions."""
    return _QUERY * partitions + _PER_MATCH * max(documents, size / 1024)


def count_units(matches: int) -> float:
    """A count over the index: every few dozen matches weigh as one index page."""
    return _QUERY + matches / 50


def _by_size(size: int, table: tuple[float, ...]) -> float:
    kb = size / 1024
    above = bisect_left(_KB, kb)
    if above == 0:
        return table[0]
    if above == len(_KB):
        return table[-1] * kb / _KB[-1]
    share = (kb - _KB[above - 1]) / (_KB[above] - _KB[above - 1])
    return table[above - 1] + share * (table[above] - table[above - 1])
