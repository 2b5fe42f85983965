"""What customers are told when something happens to their orders and accounts.

A mail server that is down holds up this group only. Events carry ids: address and preferences are
read when the message is sent.
"""

from __future__ import annotations

from generated import events as e
from handlers.contract.services import EventServices
from handlers.notifications import templates
from handlers.notifications.notify_owner import notify_owner
from handlers.notifications.tell_customer import tell_customer
from handlers.notifications.welcome_customer import forget_welcome, welcome_customer
from handlers.orders import store as orders
from handlers.platform.events import Event


async def on_user_created(event: Event[e.UserCreatedData], services: EventServices) -> None:
    """The mail that asks for a proof of the address."""
    await welcome_customer(services, event.data["user_id"])


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Forgets that the account was welcomed; what was told of orders names no person. May be done twice."""
    await forget_welcome(services, event.data["user_id"])


async def on_account_notice_requested(event: Event[e.AccountNoticeRequestedData], services: EventServices) -> None:
    """What was changed or asked for in an account."""
    data = event.data
    await notify_owner(services, data["user_id"], data["notice_id"], data["kind"])


async def on_order_created(event: Event[e.OrderCreatedData], services: EventServices) -> None:
    """The confirmation."""
    order = (await orders.proven(services.store, event.data["order_id"], event.data["user_id"])).data
    await tell_customer(services, order, templates.confirmed(order))


async def on_payment_processed(event: Event[e.PaymentProcessedData], services: EventServices) -> None:
    """The receipt."""
    order = (await orders.proven(services.store, event.data["order_id"], event.data["user_id"])).data
    await tell_customer(services, order, templates.paid(order))


async def on_payment_attempt_failed(event: Event[e.PaymentAttemptFailedData], services: EventServices) -> None:
    """Whoever left the payment to a saved method is told that it was declined; others have seen it themselves."""
    data = event.data
    order = (await orders.proven(services.store, data["order_id"], data["user_id"])).data
    if order["payment"]["choice"] != "saved_method" or order["status"] not in ("pending", "awaiting_payment"):
        return
    notice = templates.attempt_failed(data.get("failure_message"), order.get("payment_due_at"))
    await tell_customer(services, order, notice)


async def on_payment_failed(event: Event[e.PaymentFailedData], services: EventServices) -> None:
    """The order ended after too many attempts. One whose payment was abandoned is cancelled, which is told then."""
    if event.data["failure_code"] == "abandoned":
        return
    order = (await orders.proven(services.store, event.data["order_id"], event.data["user_id"])).data
    await tell_customer(services, order, templates.unpaid(order))


async def on_shipment_status_updated(event: Event[e.ShipmentStatusUpdatedData], services: EventServices) -> None:
    """The parcel has left, or has arrived."""
    data = event.data
    if data["status"] in ("picked_up", "in_transit"):
        notice = templates.shipped(data["carrier"], data["tracking_number"])
    elif data["status"] == "delivered":
        notice = templates.delivered()
    else:
        return
    order = (await orders.proven(services.store, data["order_id"], data.get("user_id"))).data
    await tell_customer(services, order, notice)


async def on_order_cancelled(event: Event[e.OrderCancelledData], services: EventServices) -> None:
    """The order has ended."""
    data = event.data
    order = (await orders.proven(services.store, data["order_id"], data["user_id"])).data
    was_paid, returned = "paid_at" in order, data["amount_paid"] == 0
    await tell_customer(services, order, templates.cancelled(data["reason"], was_paid=was_paid, returned=returned))


async def on_refund_processed(event: Event[e.RefundProcessedData], services: EventServices) -> None:
    """Money goes back."""
    data = event.data
    order = (await orders.proven(services.store, data["order_id"], data["user_id"])).data
    await tell_customer(services, order, templates.refunded(data["refund_id"], data["amount"], data["currency"]))
