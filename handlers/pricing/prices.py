"""The price of a basket: the one way from goods, promotion, destination and method to the sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from handlers.contract.services import EventServices
from handlers.partners.payable_amounts import payable_unit
from handlers.pricing import offers
from handlers.pricing.shipping import Option, ShippingTable, cheapest_first
from handlers.pricing.tax import Destination, TaxPort, TaxTable
from handlers.pricing.totals import Item, Price, price

Promotion = Mapping[str, Any] | None


class Piece(NamedTuple):
    """Units of a variant in a basket: price of one in minor units, its own tax rate in millionths, grams of one."""

    quantity: int
    unit_price: int
    tax_rate: int
    grams: int


class Prices:
    """The tables of this process, and what is computed with them. `services.room(Prices)` is the one."""

    def __init__(self, services: EventServices) -> None:
        self.currency = services.settings.shop_currency
        self._shipping_taxed = services.settings.shipping_taxed
        self._payable_unit = payable_unit(self.currency)
        self.shipping = ShippingTable(self.currency)
        self.tax: TaxPort = TaxTable()

    def options(self, pieces: Sequence[Piece], destination: Destination, promotion: Promotion) -> list[Option]:
        """The shipping methods for a basket, the cheapest first; one that the promotion frees costs nothing."""
        found = self.shipping.options(destination, grams_of(pieces))
        if promotion is None:
            return found
        return cheapest_first([each.freed() if offers.frees(promotion, each.method) else each for each in found])

    async def quoted(
        self, pieces: Sequence[Piece], promotion: Promotion, destination: Destination, option: Option
    ) -> Price:
        """The price delivered: what a quote shows and an order costs."""
        rates = await self.tax.rates([piece.tax_rate for piece in pieces], destination)
        return self._price(pieces, rates, promotion, option)

    def estimated(self, pieces: Sequence[Piece], promotion: Promotion) -> Price:
        """The price while the destination is unknown: the products' own rates, the cheapest method at home."""
        options = self.options(pieces, self.shipping.home, promotion) if pieces else []
        option = options[0] if options else None
        return self._price(pieces, [piece.tax_rate for piece in pieces], promotion, option)

    def _price(
        self, pieces: Sequence[Piece], rates: Sequence[int], promotion: Promotion, option: Option | None
    ) -> Price:
        items = [Item(piece.quantity, piece.unit_price, rate) for piece, rate in zip(pieces, rates, strict=True)]
        discount = offers.discount_of(promotion, subtotal_of(pieces), self.currency)
        return price(
            items,
            discount=discount,
            shipping=option.price if option is not None else 0,
            shipping_discount=option.discount if option is not None else 0,
            shipping_taxed=self._shipping_taxed,
            payable_unit=self._payable_unit,
        )


def subtotal_of(pieces: Sequence[Piece]) -> int:
    """The sum of the lines before discount, in minor units."""
    return sum(piece.quantity * piece.unit_price for piece in pieces)


def grams_of(pieces: Sequence[Piece]) -> int:
    """The weight of a basket."""
    return sum(piece.quantity * piece.grams for piece in pieces)
