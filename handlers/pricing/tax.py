"""Tax: the product's rate × a factor of the destination (decision 66), behind a port for a tax service to take over.

`tax.json` says where its rates are from. They are illustrative: no local rates, no reduced rates, no thresholds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from handlers.pricing.totals import MILLION, half_up

_FILE: Final = Path(__file__).with_name("tax.json")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where goods go, as far as prices depend on it. `state` is the code that the country uses, where it has them."""

    country: str
    state: str | None = None

    @property
    def places(self) -> tuple[str, str]:
        """Its names in the tables, the narrower first."""
        return f"{self.country}-{self.state or ''}", self.country


class TaxPort(Protocol):
    """Knows tax rates."""

    async def rates(self, rates: Sequence[int], destination: Destination) -> list[int]:
        """The rates at the destination for goods with these rates of their own, all in millionths."""
        ...


class TaxTable:
    """The factors of `tax.json`. A place that is not in it has factor 0: the goods are exported untaxed."""

    def __init__(self, table: dict[str, Any] | None = None) -> None:
        groups = (table or json.loads(_FILE.read_text(encoding="utf-8")))["groups"]
        self._factors = {
            place: Fraction(Decimal(rate)) / Fraction(Decimal(group["reference"]))
            for group in groups
            for place, rate in group["rates"].items()
        }

    def factor(self, destination: Destination) -> Fraction:
        """By how much rates differ there."""
        narrow, wide = destination.places
        return self._factors.get(narrow, self._factors.get(wide, Fraction(0)))

    async def rates(self, rates: Sequence[int], destination: Destination) -> list[int]:
        """The rates at the destination, in millionths, at most 100 %."""
        factor = self.factor(destination)
        return [min(half_up(rate * factor), MILLION) for rate in rates]


def millionths(rate: float) -> int:
    """A rate as documents say it, such as 0.0825, in millionths."""
    return _millionths(rate)


@lru_cache(maxsize=1024)  # a shop has a handful of rates
def _millionths(rate: float) -> int:
    return half_up(Fraction(Decimal(repr(rate))) * MILLION)


def fraction(rate: int) -> float:
    """A rate in millionths as documents say it."""
    return float(Decimal(rate) / MILLION)
