"""Amounts of money: outside a number with the decimals of its currency, in sums integer minor units.

A float never enters a sum (decision 27).
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

# Currencies whose smallest unit is not a hundredth (ISO 4217; an ariary has fifths, which nobody uses or can pay).
_DECIMALS: Final = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "MGA",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),  # noqa: SIM905 - easier to read
}


# Prices come again and again, and decimals cost more than all that is done with them.
_KEPT: Final = 8192


class AmountNotExact(ValueError):
    """An amount has more decimals than its currency."""


def decimals(currency: str) -> int:
    """How many decimals the currency has."""
    return _DECIMALS.get(currency, 2)


def minor_units(amount: float, currency: str) -> int:
    """The amount in the smallest unit of its currency. Raises `AmountNotExact` when it does not come out even."""
    return _minor(amount, currency)


def major_units(units: int, currency: str) -> float:
    """The amount as documents and answers say it."""
    return _major(units, currency)


@lru_cache(maxsize=_KEPT)
def _minor(amount: float, currency: str) -> int:
    # The shortest text of the float is what was written in the JSON.
    scaled = Decimal(repr(amount)).scaleb(decimals(currency))
    units = int(scaled)
    if units != scaled:
        raise AmountNotExact(f"{amount!r} {currency}")
    return units


@lru_cache(maxsize=_KEPT)
def _major(units: int, currency: str) -> float:
    return float(Decimal(units).scaleb(-decimals(currency)))
