"""What happens to the lines of a cart. Pure; amounts are integers in minor units.

A stored line (`Json`) remembers what its shopper was last told: name, whether it could be had; and the price that its
shopper has acted on. `refreshed` compares that with the goods of now; everything else edits refreshed lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from handlers.cart.shelf import Goods
from handlers.platform.errors import not_found, unprocessable

Json = Mapping[str, Any]
NoticeCode = Literal["price_changed", "quantity_reduced", "unavailable", "promo_code_removed", "allocation_limited"]

MAX_QUANTITY: Final = 99
MAX_LINES: Final = 100
MAX_MERGES: Final = 5


class Line(NamedTuple):
    """A line of a cart. `goods` is None when the variant is not sold now; then the rest is what was last known.

    `seen_price`: the one that the shopper has acted on, by putting the line in or changing it; None: in no currency of
    this shop. While it is not `unit_price`, the cart says so, however often it is read.
    """

    item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: str
    image_url: str | None
    quantity: int
    unit_price: int
    seen_price: int | None
    added_at: str
    goods: Goods | None
    available: bool

    @property
    def limit(self) -> int:
        """The largest quantity the line can be set to now."""
        return min(MAX_QUANTITY, self.goods.stock) if self.goods is not None else 0


class Notice(NamedTuple):
    """Something the shopper should know about an article, or a promo code, of this name.

    `before` and `after` are prices or quantities, by the code; `before` is None for a price that this shop's currency
    cannot say. `why`: a sentence for a promo code that was removed.
    """

    code: NoticeCode
    name: str
    item_id: str | None = None
    before: int | None = 0
    after: int = 0
    why: str = ""


def item_id_of(variant_id: str) -> str:
    """The id of a variant's line, the same in every cart: a variant has one line."""
    return f"cartitem-{hashlib.blake2b(variant_id.encode(), digest_size=10).hexdigest()}"


def refreshed(items: Sequence[Line], goods: Mapping[str, Goods]) -> tuple[list[Line], list[Notice]]:
    """The lines as they are now, and what has changed since they were last shown."""
    lines: list[Line] = []
    notices: list[Notice] = []
    for item in items:
        line, news = _refreshed(item, goods.get(item.variant_id))
        lines.append(line)
        notices += news
    return lines, notices


def _refreshed(item: Line, goods: Goods | None) -> tuple[Line, list[Notice]]:
    if goods is None or goods.stock == 0:
        gone = item._replace(goods=goods, available=False)
        return gone, [Notice("unavailable", item.name, item.item_id)] if item.available else []
    notices = []
    if goods.unit_price != item.seen_price:
        notices.append(Notice("price_changed", goods.name, item.item_id, item.seen_price, goods.unit_price))
    line = _with_goods(item, goods)
    if goods.stock < line.quantity:
        notices.append(Notice("quantity_reduced", goods.name, item.item_id, line.quantity, goods.stock))
        line = line._replace(quantity=goods.stock)
    return line, notices


def _with_goods(item: Line, goods: Goods) -> Line:
    return item._replace(
        sku=goods.sku,
        name=goods.name,
        variant_name=goods.variant_name,
        image_url=goods.image_url,
        unit_price=goods.unit_price,
        goods=goods,
        available=True,
    )


def added(lines: Sequence[Line], goods: Goods, quantity: int, now: str) -> list[Line]:
    """The lines with more units of a variant. Raises `Problem` 422 `out_of_stock`, `quantity_limit`."""
    known = _place(lines, goods.variant_id)
    wanted = quantity + (lines[known].quantity if known is not None else 0)
    check_stock(goods, wanted, in_cart=wanted - quantity)
    if known is not None:
        return [*lines[:known], _acted_on(lines[known], wanted), *lines[known + 1 :]]
    if len(lines) >= MAX_LINES:
        raise unprocessable(f"A cart has at most {MAX_LINES} lines", "quantity_limit", max_lines=MAX_LINES)
    return [*lines, new_line(goods, quantity, now)]


def set_quantity(lines: Sequence[Line], item_id: str, quantity: int) -> list[Line]:
    """The lines with another quantity of one. Raises `Problem` 404, 422 `item_unavailable`, `out_of_stock`."""
    place = _line(lines, item_id)
    line = lines[place]
    if line.goods is None:
        raise unprocessable("This article is not sold any more", "item_unavailable", variant_id=line.variant_id)
    check_stock(line.goods, quantity, in_cart=line.quantity)
    changed = _acted_on(_with_goods(line, line.goods), quantity)
    return [*lines[:place], changed, *lines[place + 1 :]]


def _acted_on(line: Line, quantity: int) -> Line:
    """A line that its shopper has given a quantity, at the price of now."""
    return line._replace(quantity=quantity, seen_price=line.unit_price)


def removed(lines: Sequence[Line], item_id: str) -> list[Line]:
    """The lines without one. Raises `Problem` 404."""
    place = _line(lines, item_id)
    return [*lines[:place], *lines[place + 1 :]]


def check_stock(goods: Goods, quantity: int, *, in_cart: int) -> None:
    """Raises `Problem` 422 when so many units cannot be in a line."""
    facts = {"variant_id": goods.variant_id, "requested": quantity, "in_cart": in_cart}
    if quantity > MAX_QUANTITY:
        raise unprocessable(f"At most {MAX_QUANTITY} units of an article", "quantity_limit", **facts)
    if quantity > goods.stock:
        raise unprocessable("There are not so many left", "out_of_stock", **facts, available=goods.stock)


def new_line(goods: Goods, quantity: int, now: str) -> Line:
    """A line that was not there before."""
    return Line(
        item_id=item_id_of(goods.variant_id),
        product_id=goods.product_id,
        variant_id=goods.variant_id,
        sku=goods.sku,
        name=goods.name,
        variant_name=goods.variant_name,
        image_url=goods.image_url,
        quantity=quantity,
        unit_price=goods.unit_price,
        seen_price=goods.unit_price,
        added_at=now,
        goods=goods,
        available=True,
    )


def merged(
    mine: Sequence[Line], theirs: Sequence[Line], taken: Mapping[str, int]
) -> tuple[list[Line], list[Notice], dict[str, int]]:
    """Lines with those of a guest's cart added, what had to be capped, and what has been taken from that cart in all.

    `taken` says what a merge before this one took of each variant already; that is not taken twice.
    """
    lines, notices, total = list(mine), [], dict(taken)
    for theirs_line in theirs:
        more = theirs_line.quantity - taken.get(theirs_line.variant_id, 0)
        if more <= 0:
            continue
        total[theirs_line.variant_id] = theirs_line.quantity
        place = _place(lines, theirs_line.variant_id)
        if place is None and len(lines) >= MAX_LINES:
            notices.append(Notice("quantity_reduced", theirs_line.name, None, more, 0))
            continue
        line = lines[place] if place is not None else theirs_line._replace(quantity=0)
        wanted = line.quantity + more
        # What is sold out or gone for now keeps what was wanted, as in any cart.
        fits = min(wanted, line.limit or MAX_QUANTITY)
        if fits < wanted:
            notices.append(Notice("quantity_reduced", line.name, line.item_id, wanted, fits))
        whole = line._replace(quantity=fits)
        lines = [*lines[:place], whole, *lines[place + 1 :]] if place is not None else [*lines, whole]
    return lines, notices, total


def without_ordered(lines: Sequence[Line], ordered: Mapping[str, int]) -> list[Line]:
    """The lines less the units of each variant that were ordered."""
    left = [line._replace(quantity=line.quantity - ordered.get(line.variant_id, 0)) for line in lines]
    return [line for line in left if line.quantity > 0]


def _place(lines: Sequence[Line], variant_id: str) -> int | None:
    return next((place for place, line in enumerate(lines) if line.variant_id == variant_id), None)


def _line(lines: Sequence[Line], item_id: str) -> int:
    place = next((place for place, line in enumerate(lines) if line.item_id == item_id), None)
    if place is None:
        raise not_found("Cart item", item_id=item_id)
    return place
