"""Shipping: prices and days by method, weight and destination, from `shipping.json` (illustrative rates). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal, cast

from handlers.platform.money import minor_units
from handlers.pricing.tax import Destination

_FILE: Final = Path(__file__).with_name("shipping.json")
_KILO: Final = 1000
_SATURDAY: Final = 5

Json = Mapping[str, Any]
Method = Literal["standard", "express", "overnight"]


@dataclass(frozen=True, slots=True)
class Option:
    """A way to send a parcel. `price` in minor units, days are working days."""

    method: Method
    name: str
    price: int
    days_min: int
    days_max: int

    def delivery(self, day: date) -> date:
        """The day it arrives at the latest, sent off on `day`."""
        return working_days_after(day, self.days_max)


class ShippingTable:
    """The tariff. `home` is the shop's own country, without a state."""

    def __init__(self, table: Json | None = None) -> None:
        self._table = table or json.loads(_FILE.read_text(encoding="utf-8"))
        self._rates: dict[str, Json] = {
            place: zone["rates"] for zone in self._table["zones"] for place in zone["places"]
        }
        self._weights = {key: grams for key, grams in self._table["weights"].items() if key != "about"}
        self.home = Destination(self._table["home"])

    def serves(self, destination: Destination) -> bool:
        """Whether anything is sent there."""
        return self._of(destination) is not None

    def options(self, destination: Destination, grams: int, currency: str) -> list[Option]:
        """The methods that serve the destination with this weight, the cheapest first."""
        rates = self._of(destination) or {}
        found = [
            Option(
                cast("Method", method),
                self._table["methods"][method],
                minor_units(_price(rate, grams), currency),
                *rate["days"],
            )
            for method, rate in rates.items()
            if grams <= rate.get("heaviest", grams)
        ]
        return cheapest_first(found)

    def usual_weight(self, category: str) -> int:
        """Grams of a product of a category, when it does not say its own: by the longest beginning of the slug."""
        parts = category.split("-")
        beginnings = ["-".join(parts[:size]) for size in range(len(parts), -1, -1)]
        return int(next(self._weights[each] for each in beginnings if each in self._weights))

    def _of(self, destination: Destination) -> Json | None:
        narrow, wide = destination.places
        return self._rates.get(narrow) or self._rates.get(wide)


def cheapest_first(options: Sequence[Option]) -> list[Option]:
    """By price; among equal ones the slower first, as it came."""
    return sorted(options, key=lambda option: option.price)


def working_days_after(day: date, count: int) -> date:
    """The day so many working days (Monday to Friday) later; holidays are not known here."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            count -= 1
    return day


def _price(rate: Json, grams: int) -> int:
    """In major units: the base, and as much again for each kilogram begun beyond what is included."""
    beyond = max(0, grams - int(rate["included"]))
    return int(rate["base"]) + -(-beyond // _KILO) * int(rate["per_kg"])
