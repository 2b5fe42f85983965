"""Which amounts the payment provider takes: the least, the most and the steps between, by currency. Pure.

From Stripe's documentation: Currencies (minimum and maximum charge amounts, zero-decimal and three-decimal currencies,
special cases). Amounts are in our minor units (`platform.money`) unless they are said to be Stripe's.
"""

from __future__ import annotations

from typing import Final

from handlers.platform.errors import unprocessable
from handlers.platform.money import decimals, major_units, minor_units

# Sent as if they had two decimals, though they have none.
AS_HUNDREDTHS: Final = frozenset({"ISK", "UGX"})
# "The amount value supports up to eight digits", counted in what is sent.
_MOST_SENT: Final = 99_999_999
_THREE: Final = 3

# The least that a card is charged, in major units. For a currency that is not here the provider converts the minimum of
# the account's own one, which only it can do: there the intent is what is refused.
_LEAST: Final = {
    "AED": 2,
    "AUD": 0.5,
    "BGN": 1,
    "BRL": 0.5,
    "CAD": 0.5,
    "CHF": 0.5,
    "CZK": 15,
    "DKK": 2.5,
    "EUR": 0.5,
    "GBP": 0.3,
    "HKD": 4,
    "HUF": 175,
    "INR": 0.5,
    "JPY": 50,
    "MXN": 10,
    "MYR": 2,
    "NOK": 3,
    "NZD": 0.5,
    "PLN": 2,
    "RON": 2,
    "SEK": 3,
    "SGD": 0.5,
    "THB": 10,
    "USD": 0.5,
}


def payable_unit(currency: str) -> int:
    """What amounts are multiples of: of three decimals the last one has to be 0."""
    return 10 if decimals(currency) == _THREE else 1


def least_payable(currency: str) -> int:
    """The least that can be paid, where it is known; nothing at all needs no provider."""
    return minor_units(_LEAST[currency], currency) if currency in _LEAST else payable_unit(currency)


def most_payable(currency: str) -> int:
    """The most that can be paid at once."""
    sent = _MOST_SENT // 100 if currency in AS_HUNDREDTHS else _MOST_SENT
    return sent - sent % payable_unit(currency)


def check_total(total: int, currency: str) -> None:
    """Raises `Problem` 422 `total_too_small` or `total_too_large`. A total of 0 is paid already."""
    least, most = least_payable(currency), most_payable(currency)
    facts = {"total": major_units(total, currency), "currency": currency}
    if 0 < total < least:
        minimum = major_units(least, currency)
        raise unprocessable("This is less than can be paid", "total_too_small", minimum=minimum, **facts)
    if total > most:
        maximum = major_units(most, currency)
        raise unprocessable("This is more than can be paid at once", "total_too_large", maximum=maximum, **facts)
