"""Shipping: prices, days and carriers by method, weight and destination, from `shipping.json` (illustrative). Pure.

Quote and choice of the carrier read the same rates: what is offered some carrier takes, as long as the table stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

from handlers.platform.money import minor_units
from handlers.pricing.tax import Destination

_FILE: Final = Path(__file__).with_name("shipping.json")
_KILO: Final = 1000
_SATURDAY: Final = 5

Json = Mapping[str, Any]
Method = Literal["standard", "express", "overnight"]
CarrierName = Literal["FedEx", "UPS", "USPS", "DHL"]
Rejection = Literal["too_heavy", "destination_not_served"]


class Option(NamedTuple):
    """A way to send a parcel. `price` in minor units, after `discount`, which is what a promotion took off.

    Days are working days.
    """

    method: Method
    name: str
    price: int
    days_min: int
    days_max: int
    discount: int = 0

    def freed(self) -> Option:
        """The same at no cost."""
        return self._replace(price=0, discount=self.price + self.discount)

    def delivery(self, day: date) -> date:
        """The day it arrives at the latest, sent off on `day`."""
        return working_days_after(day, self.days_max)


class CarrierRate(NamedTuple):
    """What a carrier takes by a method: up to so many grams, in so many days at most."""

    carrier: CarrierName
    heaviest: int
    days: int


class _Rate(NamedTuple):
    """What a method costs in a zone: `base` up to `included` grams, `per_kilo` for each kilogram begun beyond.

    `carriers`: the first that takes the weight gets the parcel.
    """

    method: Method
    name: str
    base: int
    per_kilo: int
    included: int
    carriers: tuple[CarrierRate, ...]
    days_min: int
    days_max: int

    def carrier(self, grams: int) -> CarrierRate | None:
        return next((each for each in self.carriers if grams <= each.heaviest), None)

    def option(self, grams: int) -> Option:
        beyond = max(0, grams - self.included)
        price = self.base - (-beyond // _KILO) * self.per_kilo
        return Option(self.method, self.name, price, self.days_min, self.days_max)


class ShippingTable:
    """The tariff in minor units of a currency. `home` is the shop's own country, without a state."""

    def __init__(self, currency: str, table: Json | None = None) -> None:
        known = table or json.loads(_FILE.read_text(encoding="utf-8"))
        self._rates: dict[str, list[_Rate]] = {}
        for zone in known["zones"]:
            rates = [_rate(method, known["methods"][method], rate, currency) for method, rate in zone["rates"].items()]
            self._rates.update(dict.fromkeys(zone["places"], rates))
        self._weights = {key: grams for key, grams in known["weights"].items() if key != "about"}
        self.home = Destination(known["home"])

    def serves(self, destination: Destination) -> bool:
        """Whether anything is sent there."""
        return self._of(destination) is not None

    def options(self, destination: Destination, grams: int) -> list[Option]:
        """The methods by which some carrier takes this weight to the destination, the cheapest first."""
        rates = self._of(destination) or []
        return cheapest_first([rate.option(grams) for rate in rates if rate.carrier(grams) is not None])

    def choose_carrier(self, method: Method, destination: Destination, grams: int) -> CarrierRate | Rejection:
        """The carrier of a parcel, or why none takes it."""
        rate = next((each for each in self._of(destination) or [] if each.method == method), None)
        if rate is None:
            return "destination_not_served"
        return rate.carrier(grams) or "too_heavy"

    def usual_weight(self, category: str) -> int:
        """Grams of a product of a category, when it does not say its own: by the longest beginning of the slug."""
        parts = category.split("-")
        beginnings = ["-".join(parts[:size]) for size in range(len(parts), -1, -1)]
        return int(next(self._weights[each] for each in beginnings if each in self._weights))

    def _of(self, destination: Destination) -> list[_Rate] | None:
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


def _rate(method: str, name: str, rate: Json, currency: str) -> _Rate:
    return _Rate(
        cast("Method", method),
        name,
        minor_units(rate["base"], currency),
        minor_units(rate["per_kg"], currency),
        rate["included"],
        tuple(CarrierRate(**each) for each in rate["carriers"]),
        *rate["days"],
    )
