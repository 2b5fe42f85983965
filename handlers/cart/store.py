"""The cart documents: container `cart`, partition `/user_id`, one for each customer or guest, by a fixed id.

Fields: `cart_id` (also `id`), `user_id`, `session_id` (guests), `items`, `promo_code`, `version`, `edition`, `merges`,
`order_id`, `order_ids`, `created_at`, `updated_at`, `expires_at`, `ttl`.

`version` goes up with every change and never comes again, not even when a cart is made anew after its time. `edition`
is the version in which the cart began: at its first line, and again when an order was taken out of it. One edition
makes one order, however often the cart is changed before or asked for (`order_id_of`): an attempt that died, and the
use of a promo code that it left, belong to the same order as the next attempt.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.cart.rules import Line
from handlers.platform.access import Principal
from handlers.platform.clock import timestamp
from handlers.platform.money import AmountNotExact, major_units, minor_units
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentMissing,
    DocumentStore,
    OutcomeUnknown,
    Replace,
    StoreUnavailable,
    VersionConflict,
)
from handlers.settings import Settings

CONTAINER: Final = "cart"
GUEST_LIFE: Final = timedelta(days=14)
CUSTOMER_LIFE: Final = timedelta(days=90)
# ISO 4217: no currency is involved. For a line whose price was seen in another currency than the shop's.
_NO_CURRENCY: Final = "XXX"

Json = dict[str, Any]


def cart_id_of(owner: str) -> str:
    """The id of the cart of a customer or guest."""
    return f"cart-{owner}"


def order_id_of(settings: Settings, cart: Mapping[str, Any]) -> str:
    """The id of the order that a cart becomes: the same for everybody who asks, and not to be guessed.

    Versions are milliseconds, so ids sort by the age of the edition.
    """
    # Carts written before there were editions begin one with their next change.
    edition = cart.get("edition") or cart["version"]
    text = f"{cart['cart_id']}|{edition}"
    digest = hmac.new(settings.derived_key("orders"), text.encode(), hashlib.sha256).hexdigest()
    return f"order-{edition:012x}{digest[:16]}"


async def read(store: DocumentStore, owner: str) -> Document | None:
    """The cart of a customer or guest, or None before its first line and after its time. One point read."""
    return await store.read(CONTAINER, owner, cart_id_of(owner))


def new_cart(principal: Principal, now: datetime) -> Json:
    """The cart of a caller that has none."""
    guest = {"session_id": principal.id} if principal.is_guest else {}
    return {
        "id": cart_id_of(principal.id),
        "cart_id": cart_id_of(principal.id),
        "user_id": principal.id,
        **guest,
        "items": [],
        "promo_code": None,
        "version": 0,
        "edition": None,
        "merges": [],
        "order_id": None,
        "order_ids": [],
        "created_at": timestamp(now),
    }


async def write(store: DocumentStore, cart: Json, etag: str | None, now: datetime) -> Document:
    """Writes a changed cart; it lives on from now, in an edition that begins now where it has none.

    Raises `VersionConflict`, `DocumentExists`, `DocumentMissing`.
    """
    life = GUEST_LIFE if "session_id" in cart else CUSTOMER_LIFE
    version = max(cart["version"] + 1, int(now.timestamp() * 1000))
    written = {
        **cart,
        "version": version,
        "edition": cart.get("edition") or version,
        "updated_at": timestamp(now),
        "expires_at": timestamp(now + life),
        "ttl": int(life.total_seconds()),
    }
    try:
        document = await store.write(CONTAINER, Replace(written, if_match=etag) if etag else Create(written))
    except OutcomeUnknown:
        document = await read(store, cart["user_id"])
        if document is None or document.data != written:
            raise StoreUnavailable("a write was lost") from None
    if document is None:
        raise DocumentMissing("the cart is gone")
    return document


async def remove(store: DocumentStore, cart: Document) -> bool:
    """Removes a cart, unless it has changed since it was read; answers whether it is gone."""
    try:
        with suppress(DocumentMissing):
            await store.write(CONTAINER, Delete(cart.data["id"], if_match=cart.etag), partition=cart.data["user_id"])
    except VersionConflict:
        return False
    return True


def line_of(item: Json, currency: str) -> Line:
    """A stored line. In a cart from the time of another currency no price was seen in this one."""
    seen = _seen_price(item, currency)
    return Line(
        item_id=item["cart_item_id"],
        product_id=item["product_id"],
        variant_id=item["variant_id"],
        sku=item["sku"],
        name=item["name"],
        variant_name=item["variant_name"],
        image_url=item.get("image_url"),
        quantity=item["quantity"],
        unit_price=seen if seen is not None else 0,
        seen_price=seen,
        added_at=item["added_at"],
        goods=None,
        available=item["available"],
    )


def _seen_price(item: Json, currency: str) -> int | None:
    if item.get("currency", currency) != currency:
        return None
    try:
        return minor_units(item["unit_price"], currency)
    except AmountNotExact:  # a line from before lines named their currency
        return None


def item_of(line: Line, currency: str) -> Json:
    """A line as it is stored, with the price that was seen and its currency."""
    seen = line.seen_price
    item = {
        "cart_item_id": line.item_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        "variant_name": line.variant_name,
        "quantity": line.quantity,
        "unit_price": major_units(seen, currency) if seen is not None else 0,
        "currency": currency if seen is not None else _NO_CURRENCY,
        "available": line.available,
        "added_at": line.added_at,
    }
    return {**item, "image_url": line.image_url} if line.image_url is not None else item
