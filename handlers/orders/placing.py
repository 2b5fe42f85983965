"""From a cart to an order. Steps that are harmless by themselves come first; the order and its event are one batch.

    deadline row -> promo code redeemed -> look-ups -> order + OrderCreated + answer to the key -> cart emptied

A crash in between leaves at most a redemption without an order, which the watchdog takes back when it finds none, or a
cart that is not emptied, which the next attempt does. One edition of a cart makes one order, so nobody else takes the
redemption back while that may still be written: another attempt counts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.addresses.api import examine
from handlers.addresses.rules import possible
from handlers.cart.ordered import take_ordered
from handlers.cart.rules import Line as CartLine
from handlers.cart.store import cart_id_of, order_id_of
from handlers.checkout.bill import Bill, draw_up, items_unavailable
from handlers.checkout.views import quote_view
from handlers.contract.call import Call
from handlers.orders import process, rules, store, telling, views
from handlers.orders.numbers import Numbers
from handlers.orders.saga import DEADLINES
from handlers.payment_methods import store as payment_methods
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import settled
from handlers.platform.email import address_in
from handlers.platform.errors import Problem, conflict, unavailable, unprocessable
from handlers.platform.idempotency import GRACE, Once
from handlers.platform.ids import new_id
from handlers.platform.money import major_units
from handlers.platform.store.port import Create, Document, DocumentExists
from handlers.pricing import promotions
from handlers.pricing.tax import fraction
from handlers.pricing.totals import Line, Shipping
from handlers.users import store as users

Json = dict[str, Any]

_STALE: Final = frozenset({"price_changed", "quantity_reduced"})


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders: the address for news, and how it is paid."""

    email: str
    payment: Json


async def place(body: m.OrderCreate, call: Call, once: Once) -> tuple[v.Order, Document | None]:
    """Places an order; answers it with its document, None when only its being written is known.

    Raises `Problem` 422 and 409 as the contract says.
    """
    if body.cart_id != cart_id_of(call.principal.id):
        raise unprocessable("This cart is not yours, or gone", "cart_not_found", cart_id=body.cart_id)
    buyer = Buyer(await _email(body, call), await _payment(body.payment_method, call))
    expected = body.expected_total if body.expected_total is not MISSING else None
    rules.check_expected(buyer.payment["choice"], expected)
    bill = await draw_up(
        call,
        examine(body.shipping_address, call),
        method=body.shipping_method,
        code=body.promo_code if body.promo_code is not MISSING else None,
        email=buyer.email if call.principal.is_guest else None,
    )
    _check(bill, expected, call)
    order = await _drawn(body, call, bill, buyer)
    await store.watch(
        call.services.store,
        order["order_id"],
        order["user_id"],
        moment(order["deadline_at"]),
        promo_code=bill.code,
    )
    document = await _written(call, order, once)
    await empty_cart(call, order)
    return views.order_view(order), document


async def empty_cart(call: Call, order: Mapping[str, Any]) -> None:
    """Takes what an order has out of the cart it was made from. May be done twice."""
    await take_ordered(call.services, order["user_id"], order["order_id"], _quantities(order))


def _check(bill: Bill, expected: float | None, call: Call) -> None:
    """Raises `Problem` when the shopper has not seen what would be ordered; with the quote to be shown."""
    if bill.left_out:
        raise items_unavailable(bill.left_out)
    stale = any(notice.code in _STALE for notice in bill.basket.notices)
    if stale if expected is None else not rules.is_total(expected, bill.totals.total, bill.currency):
        quote = quote_view(bill, bill.basket.notices, call.services.clock.now())
        raise conflict("The cart has changed: look at it again", "cart_changed", quote=quote)


async def _email(body: m.OrderCreate, call: Call) -> str:
    if body.email is not MISSING:
        return address_in(body.email)
    if call.principal.is_guest:
        raise unprocessable("A guest order needs an e-mail address", "guest_email_required")
    return str((await users.signed_in(call)).data["email"])


async def _payment(choice: m.PaymentChoice, call: Call) -> Json:
    """How it is paid. Raises `Problem` 422 `payment_method_invalid`."""
    method_id = choice.payment_method_id if choice.payment_method_id is not MISSING else None
    if (choice.type == "saved_method") != (method_id is not None):
        raise _method_invalid()
    if method_id is None:
        return {"choice": choice.type}
    saved = await payment_methods.find(call.services.store, call.principal.id, method_id)
    if saved is None:
        raise _method_invalid()
    method, _ = saved
    card = {name: method[name] for name in ("brand", "last4") if method.get(name)}
    return {"choice": choice.type, "payment_method_id": method_id, **card}


def _method_invalid() -> Problem:
    return unprocessable("This payment method cannot be used", "payment_method_invalid")


async def _drawn(body: m.OrderCreate, call: Call, bill: Bill, buyer: Buyer) -> Json:
    """The document of a new order."""
    services, now = call.services, call.services.clock.now()
    order_id = order_id_of(services.settings, bill.cart)
    billing = body.billing_address
    order: Json = {
        "id": order_id,
        "order_id": order_id,
        "order_number": await services.room(Numbers).next(),
        "user_id": call.principal.id,
        "status": "pending",
        "payment_status": "pending",
        "fulfillment_status": "pending",
        "email": buyer.email,
        "items": [_item(line, priced, bill.currency) for line, priced in bill.lines],
        "totals": _totals(bill),
        "shipping_address": dict(bill.address),
        "billing_address": dict(bill.address if billing is MISSING else possible(examine(billing, call))),
        "payment": buyer.payment,
        "shipping": {"method": bill.option.method, "charge": _charge(bill)},
        "grams": bill.grams,
        "revision": 1,
        "created_at": timestamp(now),
        "updated_at": timestamp(now),
        "deadline_at": timestamp(now + DEADLINES["pending"].after),
        "timeline": [rules.entry(new_id("event"), "order_placed", "Order placed", timestamp(now))],
    }
    if bill.code is not None:
        order["promo_code"] = bill.code
    if body.notes is not MISSING and body.notes:
        order["notes"] = body.notes
    return {**order, "changes": [rules.snapshot(order)]}


def _item(line: CartLine, priced: Line, currency: str) -> Json:
    item = {
        "order_item_id": new_id("item"),
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        "quantity": priced.quantity,
        "unit_price": major_units(priced.unit_price, currency),
        "line_total": major_units(priced.line_total, currency),
        **_sums(priced, currency),
    }
    more = {"variant_name": line.variant_name, "image_url": line.image_url}
    return {**item, **{name: text for name, text in more.items() if text}}


def _charge(bill: Bill) -> Json:
    """What the shipping costs."""
    return {"price": major_units(bill.shipping.price, bill.currency), **_sums(bill.shipping, bill.currency)}


def _sums(priced: Line | Shipping, currency: str) -> Json:
    """What a line, or the shipping, is made of: enough for invoices and returns of it alone."""
    return {
        "discount": major_units(priced.discount, currency),
        "net": major_units(priced.net, currency),
        "tax_rate": fraction(priced.tax_rate),
        "tax": major_units(priced.tax, currency),
        "gross": major_units(priced.gross, currency),
    }


def _totals(bill: Bill) -> Json:
    names = ["subtotal", "discount", "shipping", "tax", "total", *(["rounding"] if bill.totals.rounding else [])]
    amounts = {name: major_units(getattr(bill.totals, name), bill.currency) for name in names}
    return {**amounts, "currency": bill.currency}


def _quantities(order: Mapping[str, Any]) -> dict[str, int]:
    return {item["variant_id"]: item["quantity"] for item in order["items"]}


async def _written(call: Call, order: Json, once: Once) -> Document | None:
    """Redeems the code, then writes the order. Raises `Problem` 409 when this edition of the cart is ordered."""
    services, code, order_id = call.services, order.get("promo_code"), order["order_id"]
    if code is not None:
        customer = _customer(call, order["email"])
        await promotions.redeem(services.store, code, order_id, customer, until=order["deadline_at"])
    await store.note_whereabouts(services.store, order)
    row = services.outbox.row(
        store.CONTAINER,
        order,
        event_type="OrderCreated",
        data=telling.created(order),
        correlation_id=call.request_id,
    )
    batch = [Create(order), row, *once.remember(views.order_view(order))]
    if services.clock.now() + GRACE > moment(order["deadline_at"]):
        # No request takes so long: this process was asleep, and the watchdog may be taking back what it has counted.
        raise unavailable("The order could not be placed in time")
    try:
        written = await settled(services.store, store.CONTAINER, order["user_id"], batch)
    except DocumentExists:
        raise await _ordered_before(call, order) from None
    return written[0] if written else None


async def _ordered_before(call: Call, order: Json) -> Exception:
    """Another request has ordered this edition of the cart: finishes what it may have left to do."""
    standing = await store.read(call.services.store, order["user_id"], order["order_id"])
    if standing is not None:
        await process.free_unused(call.services, order.get("promo_code"), standing.data)
        await store.note_whereabouts(call.services.store, standing.data)
        await empty_cart(call, standing.data)
    return conflict("This cart has been ordered in the same moment", "cart_changed")


def _customer(call: Call, email: str) -> str:
    user_id = None if call.principal.is_guest else call.principal.id
    key = promotions.customer_key(call.services.settings, user_id, email)
    if key is None:
        raise unprocessable("A guest order needs an e-mail address", "guest_email_required")
    return key
