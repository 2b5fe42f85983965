"""What payments do for the order process: charge what is saved once stock is held, give money back when an order ends.

While the provider cannot be asked, or nobody can tell what became of a request, the event waits.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar

from generated import events as e
from handlers.contract.services import EventServices
from handlers.orders import store as orders
from handlers.orders.saga import FINAL
from handlers.orders.telling import units
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import Decline, PaymentRefused
from handlers.payment_methods import store as payment_methods
from handlers.payments import process, refunds, rules, store
from handlers.payments.rules import Cause, Payable, RefundRequest
from handlers.platform.errors import Problem
from handlers.platform.events import Event
from handlers.platform.money import minor_units
from handlers.platform.patience import Transient
from handlers.platform.store.port import Operation

log = logging.getLogger(__name__)

T = TypeVar("T")
Json = dict[str, Any]

# A refund that is not possible (any more): there was no payment, or all of it has gone back.
_NOTHING_LEFT: Final = ("order_state_invalid", "refund_exceeds_payment")
_GONE: Final = Decline("payment_method_gone", "The saved payment method cannot be used any more.")


def payable_of(order: Mapping[str, Any]) -> Payable:
    """An order, as far as paying it needs to know."""
    totals = order["totals"]
    return Payable(
        order_id=order["order_id"],
        order_number=order["order_number"],
        user_id=order["user_id"],
        amount=minor_units(totals["total"], totals["currency"]),
        currency=totals["currency"],
        items=units(order),
        address=order["shipping_address"],
        shipping_method=order["shipping"]["method"],
        weight={"value": order["grams"] / 1000, "unit": "kg"},
        email=order["email"],
    )


async def on_inventory_reserved(event: Event[e.InventoryReservedData], services: EventServices) -> None:
    """Charges a saved payment method, once; whoever is declined may pay otherwise. What is free is paid at once.

    Everybody else pays by themselves.
    """
    found = await orders.proven(services.store, event.data["order_id"])
    if found.data["status"] in FINAL:
        return
    order, cause = found.data, Cause.of(event)
    if payable_of(order).amount == 0:
        await process.pay_nothing(services, payable_of(order), cause)
        return
    if order["payment"]["choice"] != "saved_method":
        return
    chosen = order["payment"]["payment_method_id"]
    saved = await payment_methods.find(services.store, order["user_id"], chosen)
    if saved is None:
        customer = await payment_methods.customer_of(services.store, order["user_id"])
        await _gone(services, order, cause, chosen, customer)
        return
    method, customer = saved
    try:
        _certain(await _asked(process.charge(services, payable_of(order), method["stripe_id"], customer, cause)))
    except PaymentRefused:
        await _gone(services, order, cause, method["stripe_id"], customer)


async def on_order_cancelled(event: Event[e.OrderCancelledData], services: EventServices) -> None:
    """Ends the payment of an order, or gives the money back that came."""
    data, cause = event.data, Cause.of(event)
    found = await orders.proven(services.store, data["order_id"], data["user_id"])
    result = await _asked(process.cancel(services, payable_of(found.data), cause))
    _certain(result)
    if result.paid:
        await _returned(services, data["order_id"], cause)


async def on_refund_requested(event: Event[e.RefundRequestedData], services: EventServices) -> None:
    """Gives the money back that came after an order had ended."""
    await _returned(services, event.data["order_id"], Cause.of(event))


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Takes the person out of the payments of a deleted user, out of an open one once it has ended.

    May be done twice.
    """

    def edit(payment: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        payment |= rules.forgotten({**payment, "forget": True})
        return [payment["id"]], ()

    async for order in orders.of_user(services.store, event.data["user_id"]):
        payment = await store.payment_of(services.store, order["order_id"])
        if payment is not None and "forget" not in payment:
            await store.change(services.store, order["order_id"], payment["id"], edit)


async def _returned(services: EventServices, order_id: str, cause: Cause) -> None:
    """All that is left of a payment goes back, once for each order.

    A first refund that the provider refuses was of more than is left: some went back at its own pages, which we know by
    now. The second one returns the rest.
    """
    first = f"refund-{order_id.removeprefix('order-')}"
    for refund_id in (first, f"{first}-rest"):
        request = RefundRequest(refund_id=refund_id, order_id=order_id, reason="order_cancelled")
        try:
            made = await _asked(refunds.refund(services, request, cause))
        except Problem as problem:
            if problem.rule not in _NOTHING_LEFT:
                raise
            continue
        if made["status"] != "failed":
            return
    payment = await store.payment_of(services.store, order_id)
    if payment is not None and payment["refund_held"] < payment["amount"]:
        log.error("the money of an ended order cannot be returned", extra={"order_id": order_id})


async def _gone(
    services: EventServices, order: Mapping[str, Any], cause: Cause, tried: str, customer: str | None
) -> None:
    """A saved method that cannot be charged any more was declined: the customer may pay with another."""
    payable = payable_of(order)
    await _asked(process.decline(services, payable, cause, _GONE, tried=tried, customer=customer))


async def _asked(question: Awaitable[T]) -> T:
    """The provider's answer. Raises `Transient` while it cannot be asked."""
    try:
        return await question
    except PartnerUnavailable as error:
        raise Transient(str(error)) from None


def _certain(result: process.Result) -> None:
    """Raises `Transient` when nobody can tell yet."""
    if result.in_doubt:
        raise Transient("nobody can tell yet what became of a payment")
