"""A cart as it is now: read, compared with catalogue, stock and promotion, edited, and written back if it differs.

One way for everything: reading a cart is editing nothing. Notices are told once, because what was told is written back;
those of prices until the shopper acts on the line, for whoever pays should not find that another tab has looked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from handlers.cart import rules, store
from handlers.cart.goods import Wanted, find
from handlers.cart.rules import Line, Notice
from handlers.cart.shelf import Goods
from handlers.contract.call import Call
from handlers.platform.access import Principal
from handlers.platform.concurrency import FASTER, retrying
from handlers.platform.errors import unavailable
from handlers.pricing import offers, promotions
from handlers.pricing.prices import Piece, Prices, subtotal_of
from handlers.pricing.totals import Price

Json = dict[str, Any]

# Twenty callers at once on one cart are through after six; the pauses add up to a second.
ATTEMPTS: Final = 10


@dataclass(slots=True)
class Draft:
    """A cart that is being edited. `cart` is the document without its lines being up to date; `lines` are.

    `goods` are those of the lines, and what else the edit asked for, by variant.
    """

    cart: Json
    etag: str | None
    lines: list[Line]
    notices: list[Notice]
    goods: Mapping[str, Goods]


@dataclass(frozen=True, slots=True)
class Basket:
    """A cart as it is now. `etag` is None while it has not been written; `promotion` is the one that applies."""

    cart: Json
    etag: str | None
    lines: list[Line]
    notices: list[Notice] = field(default_factory=list)
    promotion: Mapping[str, Any] | None = None

    @property
    def bought(self) -> list[Line]:
        """The lines that can be ordered, of which alone the sums are made."""
        return [line for line in self.lines if line.available]

    @property
    def pieces(self) -> list[Piece]:
        """`bought` for pricing."""
        return pieces_of(self.lines)

    def estimate(self, prices: Prices) -> Price:
        """The sums while the destination is unknown."""
        return prices.estimated(self.pieces, self.promotion)


Edit = Callable[[Draft], Awaitable[None]]


async def _nothing(_: Draft) -> None:
    """Edits nothing."""


async def changed(call: Call, owner: Principal, edit: Edit = _nothing, *, also: Sequence[Wanted] = ()) -> Basket:
    """The owner's cart after an edit, written if it differs from what is stored.

    `edit` is asked again when somebody else was faster. `also`: goods it needs that may not be in the cart. Raises
    `Problem` 503 when others keep being faster, and what `edit` raises.
    """

    async def attempt() -> Basket:
        draft = await _opened(call, owner, also)
        before = draft.cart
        draft.cart = dict(before)
        await edit(draft)
        return await _written(call, owner, draft, before)

    try:
        return await retrying(attempt, attempts=ATTEMPTS, on=FASTER)
    except FASTER:
        raise unavailable("Others are changing this cart") from None


async def opened(call: Call, owner: Principal) -> Basket:
    """The owner's cart as the store has it and its goods now, its promo code unjudged; nothing is written."""
    draft = await _opened(call, owner, exact=True)
    return Basket(draft.cart, draft.etag, draft.lines, draft.notices)


def lines_of(cart: Json, currency: str) -> list[Line]:
    """The stored lines of a cart."""
    return [store.line_of(item, currency) for item in cart["items"]]


def pieces_of(lines: Sequence[Line]) -> list[Piece]:
    """What of the lines can be ordered, for pricing."""
    return [
        Piece(line.quantity, line.unit_price, line.goods.tax_rate, line.goods.grams)
        for line in lines
        if line.available and line.goods is not None
    ]


async def _opened(call: Call, owner: Principal, also: Sequence[Wanted] = (), *, exact: bool = False) -> Draft:
    services = call.services
    found = await store.read(services.store, owner.id)
    cart = found.data if found is not None else store.new_cart(owner, services.clock.now())
    items = lines_of(cart, services.settings.shop_currency)
    wanted = [*((item.product_id, item.variant_id) for item in items), *also]
    goods = await find(services, wanted, exact=exact)
    lines, notices = rules.refreshed(items, goods)
    return Draft(cart, found.etag if found is not None else None, lines, notices, goods)


async def _written(call: Call, owner: Principal, draft: Draft, before: Json) -> Basket:
    services, currency = call.services, call.services.settings.shop_currency
    basket = await _checked(call, owner, draft)
    after = {**basket.cart, "items": [store.item_of(line, currency) for line in basket.lines]}
    if after == before:
        return basket
    document = await store.write(services.store, after, draft.etag, services.clock.now())
    return Basket(document.data, document.etag, basket.lines, basket.notices, basket.promotion)


async def _checked(call: Call, owner: Principal, draft: Draft) -> Basket:
    """The cart with its promo code judged: one that no longer applies goes, with a notice."""
    code, subtotal = draft.cart["promo_code"], subtotal_of(pieces_of(draft.lines))
    if code is None or not any(line.available for line in draft.lines):
        return Basket(draft.cart, draft.etag, draft.lines, draft.notices)
    promotion, why = await judged(call, owner, draft.cart, code, subtotal)
    if why is None:
        return Basket(draft.cart, draft.etag, draft.lines, draft.notices, promotion)
    gone = Notice("promo_code_removed", code, why=offers.MESSAGES[why])
    return Basket({**draft.cart, "promo_code": None}, draft.etag, draft.lines, [*draft.notices, gone])


async def judged(
    call: Call, owner: Principal, cart: Json, code: str, subtotal: int, *, email: str | None = None
) -> tuple[Mapping[str, Any] | None, offers.Refusal | None]:
    """The promotion of a code, and why it does not apply to goods for `subtotal` in the owner's cart.

    `email`: a guest's, normalised. An attempt to order this cart that died, or is under way, may have counted the use
    of the code; that one is the cart's own.
    """
    services = call.services
    found = await promotions.read(services.store, code)
    promotion = found.data if found is not None else None
    used = counted = False
    if promotion is not None and promotion["once_per_customer"]:
        key = promotions.customer_key(services.settings, None if owner.is_guest else owner.id, email)
        used = key is not None and await promotions.used_by(services.store, code, key)
    if promotion is not None and (used or offers.is_exhausted(promotion)):
        counted = await promotions.counted_for(services.store, code, store.order_id_of(services.settings, cart))
    why = offers.refusal(
        promotion,
        subtotal=subtotal,
        currency=services.settings.shop_currency,
        now=services.clock.now(),
        used=used,
        counted=counted,
    )
    return promotion, why
