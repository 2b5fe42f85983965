"""The order process as one table: (status, trigger) -> new statuses, events to emit, what has to be undone. Pure.

Every status has a row for every trigger, so that what comes late, twice or out of order is decided here and nowhere
else: events of different topics have no order among each other, and a parcel may be heard of before its payment.
Published in the contract as `x-transitions` of OrderStatus (decision 35).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, get_args

from handlers.platform.errors import DocumentNewer

Status = Literal[
    "pending",
    "awaiting_payment",
    "payment_failed",
    "paid",
    "processing",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "refunded",
]
PaymentStatus = Literal[
    "pending", "processing", "paid", "failed", "cancelled", "refund_pending", "partially_refunded", "refunded"
]
FulfillmentStatus = Literal["pending", "reserved", "scheduled", "shipped", "delivered", "returned", "cancelled"]
Trigger = Literal[
    # a command of the owner or of staff
    "cancel",
    # events heard
    "stock_reserved",
    "stock_refused",
    "payment_received",
    "payment_pending",
    "payment_declined",
    "payment_failed",
    "payment_abandoned",
    "shipment_scheduled",
    "shipment_refused",
    "shipment_cancelled",
    "parcel_moving",
    "parcel_arrived",
    "parcel_held_up",
    "parcel_returned",
    "arrival_estimated",
    "delivery_completed",
    "refunded_in_part",
    "refunded_in_full",
    "refund_failed_in_part",
    "refund_failed",
    # deadlines passed
    "reservation_overdue",
    "payment_overdue",
    "shipment_overdue",
]
EventName = Literal["ShipmentOverdue", "OrderUpdated", "OrderCancelled", "OrderCompleted", "RefundRequested"]
Undo = Literal["release_stock", "return_money", "recall_parcel", "free_promo"]
Reason = Literal[
    "customer_request",
    "staff_request",
    "out_of_stock",
    "payment_timeout",
    "payment_cancelled",
    "no_carrier",
    "process_timeout",
]

Attention = Literal["carrier_silent"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
TRIGGERS: Final[tuple[Trigger, ...]] = get_args(Trigger)


@dataclass(frozen=True, slots=True)
class Step:
    """What a trigger does. `payment` and `fulfillment`: None leaves them as they are.

    `undo`: what others have to take back. All of it follows from `OrderCancelled`; without that event, money follows
    from `RefundRequested`, the stock from the trigger itself, and the promo code is freed by the process.

    `recount`: the deadline begins anew, though the status stays. `attention`: why staff have to look at the order,
    until it gets into another status.
    """

    status: Status
    payment: PaymentStatus | None = None
    fulfillment: FulfillmentStatus | None = None
    emits: tuple[EventName, ...] = ()
    undo: frozenset[Undo] = frozenset()
    reason: Reason | None = None
    recount: bool = False
    attention: Attention | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What happens to an order that stays in a status for too long."""

    trigger: Trigger
    after: timedelta


# A status without a deadline is final, or the parcel is in the hands of people: staff and carrier.
DEADLINES: Final[dict[Status, Deadline]] = {
    "pending": Deadline("reservation_overdue", timedelta(minutes=5)),
    "awaiting_payment": Deadline("payment_overdue", timedelta(minutes=30)),
    "paid": Deadline("shipment_overdue", timedelta(minutes=30)),
}
# How long a delayed payment method may take. Usual are 5 business days for SEPA Direct Debit and 4 for ACH (Stripe
# documentation of each); three weeks leave room for holidays and for slower ones. Then the provider is asked, and the
# order waits again for as long as it says the same.
PAYMENT_PENDING: Final = timedelta(days=21)
FINAL: Final[frozenset[Status]] = frozenset({"payment_failed", "completed", "cancelled", "refunded"})
# Ends that give the promo code back.
CODE_FREED: Final[frozenset[Status]] = frozenset({"payment_failed", "cancelled"})
IN_HANDS: Final[frozenset[Status]] = frozenset({"processing", "shipped", "delivered"})
CANCELLABLE: Final[frozenset[Status]] = frozenset({"pending", "awaiting_payment", "paid", "processing"})

_UNPAID: Final[tuple[Status, ...]] = ("pending", "awaiting_payment")
_PAID: Final[tuple[Status, ...]] = ("paid", "processing")
_GONE: Final[tuple[Status, ...]] = ("shipped", "delivered", "completed")
_ENDED: Final[tuple[Status, ...]] = ("payment_failed", "cancelled")
_EVERYTHING: Final[frozenset[Undo]] = frozenset({"release_stock", "return_money", "recall_parcel", "free_promo"})
# Money may be on its way in the moment an unpaid order ends, so it is always part of what is undone.
_CANCEL: Final = Step("cancelled", "cancelled", "cancelled", ("OrderCancelled",), _EVERYTHING)
_CANCEL_PAID: Final = replace(_CANCEL, payment="refund_pending")
_GIVE_BACK: Final[tuple[EventName, ...]] = ("RefundRequested",)
_UPDATED: Final[tuple[EventName, ...]] = ("OrderUpdated",)

Row = tuple[Status, Trigger]
Rows = dict[Row, Step]


def _rows(statuses: Iterable[Status], trigger: Trigger, step: Step) -> Rows:
    """The same step from several statuses."""
    return {(status, trigger): step for status in statuses}


def _stay(statuses: Iterable[Status], trigger: Trigger, step: Step) -> Rows:
    """A step that changes everything but the status."""
    return {(status, trigger): replace(step, status=status) for status in statuses}


# What a trigger that has no row of its own does: nothing. It is late, or a duplicate.
_NOTHING: Final[Rows] = {(status, trigger): Step(status) for status in STATUSES for trigger in TRIGGERS}

TABLE: Final[Rows] = {
    **_NOTHING,
    # commands
    **_rows(_UNPAID, "cancel", replace(_CANCEL, reason="customer_request")),
    **_rows(_PAID, "cancel", replace(_CANCEL_PAID, reason="customer_request")),
    # stock
    ("pending", "stock_reserved"): Step("awaiting_payment", None, "reserved", _UPDATED),
    ("pending", "stock_refused"): replace(_CANCEL, reason="out_of_stock"),
    # money: stock is reserved before anybody can pay, whatever is heard first
    **_rows(_UNPAID, "payment_received", Step("paid", "paid", "reserved", _UPDATED)),
    **_stay((*_PAID, *_GONE), "payment_received", Step("paid", "paid")),
    **_stay(_ENDED, "payment_received", Step("paid", "refund_pending", None, _GIVE_BACK, frozenset({"return_money"}))),
    # accepted by the provider and not settled: the customer has done all, and the order waits
    ("pending", "payment_pending"): Step("pending", "processing", None, _UPDATED),
    ("awaiting_payment", "payment_pending"): Step("awaiting_payment", "processing", None, _UPDATED, recount=True),
    # one attempt of several: the order goes on waiting for its money, until its deadline (decision 76)
    **_stay(_UNPAID, "payment_declined", Step("pending", "failed", None, _UPDATED)),
    # no further attempt is possible
    **_rows(
        _UNPAID,
        "payment_failed",
        Step("payment_failed", "failed", "cancelled", _UPDATED, frozenset({"release_stock", "free_promo"})),
    ),
    # ended at the provider, by its rules or by hand: nobody was declined
    **_rows(_UNPAID, "payment_abandoned", replace(_CANCEL, reason="payment_cancelled")),
    # the parcel: nothing is shipped that is not paid, whatever is heard first
    **_rows((*_UNPAID, "paid"), "shipment_scheduled", Step("processing", "paid", "scheduled", _UPDATED)),
    **_rows((*_UNPAID, "paid"), "shipment_refused", replace(_CANCEL_PAID, reason="no_carrier")),
    # called off by a process that died before it had ended the order
    **_rows(_UNPAID, "shipment_cancelled", replace(_CANCEL, reason="customer_request")),
    **_rows(_PAID, "shipment_cancelled", replace(_CANCEL_PAID, reason="customer_request")),
    **_rows((*_UNPAID, *_PAID), "parcel_moving", Step("shipped", "paid", "shipped", _UPDATED)),
    **_rows((*_UNPAID, *_PAID, "shipped"), "parcel_arrived", Step("delivered", "paid", "delivered", _UPDATED)),
    # news for people: they move nothing, but are kept and told of
    **_stay(("shipped",), "parcel_moving", Step("shipped", None, None, _UPDATED)),
    **_stay(("processing", "shipped"), "parcel_held_up", Step("shipped", None, None, _UPDATED)),
    **_stay((*_PAID, "shipped"), "arrival_estimated", Step("shipped", None, None, _UPDATED)),
    **_stay((*_PAID, *_GONE), "parcel_returned", Step("shipped", None, "returned", _UPDATED)),
    **_rows(
        (*_UNPAID, *_PAID, "shipped", "delivered"),
        "delivery_completed",
        Step("completed", "paid", "delivered", ("OrderCompleted",)),
    ),
    # money back
    **_stay((*_PAID, *_GONE), "refunded_in_part", Step("paid", "partially_refunded", None, _UPDATED)),
    **_stay(_ENDED, "refunded_in_part", Step("paid", "partially_refunded")),
    **_rows((*_UNPAID, *_PAID), "refunded_in_full", replace(_CANCEL, payment="refunded", reason="staff_request")),
    **_rows(_GONE, "refunded_in_full", Step("refunded", "refunded", None, _UPDATED)),
    ("refunded", "refunded_in_full"): Step("refunded", "refunded"),
    **_stay(_ENDED, "refunded_in_full", Step("paid", "refunded")),
    # money that did not arrive: what is owed is for people, the customer's bank does not take it
    **_stay((*_PAID, *_GONE), "refund_failed_in_part", Step("paid", "partially_refunded", None, _UPDATED)),
    **_stay((*_PAID, *_GONE), "refund_failed", Step("paid", "paid", None, _UPDATED)),
    **_stay((*_ENDED, "refunded"), "refund_failed_in_part", Step("paid", "refund_pending")),
    **_stay((*_ENDED, "refunded"), "refund_failed", Step("paid", "refund_pending")),
    # deadlines
    ("pending", "reservation_overdue"): replace(_CANCEL, reason="process_timeout"),
    ("awaiting_payment", "payment_overdue"): replace(_CANCEL, reason="payment_timeout"),
    # Nobody books a parcel: people look at it, whoever can takes over, and the money stays (decision 74).
    ("paid", "shipment_overdue"): Step(
        "paid", None, None, ("ShipmentOverdue",), recount=True, attention="carrier_silent"
    ),
}

# A payment that went back is not received again by old news.
_WENT_BACK: Final[frozenset[PaymentStatus]] = frozenset({"refund_pending", "partially_refunded", "refunded"})


def step(status: Status, payment: PaymentStatus, trigger: Trigger) -> Step:
    """The step of the table; `payment` is the payment status that the order has.

    Raises `DocumentNewer` for a status that the table does not have.
    """
    if status not in STATUSES:
        raise DocumentNewer("The order's status")
    found = TABLE[status, trigger]
    ends_now = found.status == "cancelled" and status != "cancelled"
    news_of_refund = trigger in ("refunded_in_part", "refunded_in_full") and payment != "refunded"
    came_back = trigger in ("refund_failed_in_part", "refund_failed")
    if payment not in _WENT_BACK or ends_now or news_of_refund or came_back:
        return found
    return replace(found, payment=None, emits=tuple(name for name in found.emits if name != "RefundRequested"))


def wait_of(status: Status, payment: PaymentStatus) -> timedelta | None:
    """For how long an order may stay in a status; None: for ever, or until people move it."""
    if (status, payment) == ("awaiting_payment", "processing"):
        return PAYMENT_PENDING
    deadline = DEADLINES.get(status)
    return deadline.after if deadline is not None else None


def step_of_handed_over(status: Status, payment: PaymentStatus, trigger: Trigger) -> Step:
    """The step of an order whose parcel is with the carrier, which it may not have heard: it ends like one shipped."""
    found = step("shipped", payment, trigger)
    return found if changes("shipped", found) else Step(status)


def step_without_money(found: Step) -> Step:
    """A step of an order that costs nothing: no money is returned of it, so nobody is asked to, and nothing waits."""
    return replace(
        found,
        payment="cancelled" if found.payment == "refund_pending" else found.payment,
        emits=tuple(name for name in found.emits if name != "RefundRequested"),
        undo=found.undo - {"return_money"},
    )


def changes(status: Status, found: Step) -> bool:
    """Whether a step does anything to an order in this status."""
    return found != Step(status)


def transitions() -> dict[Status, dict[Trigger, Status]]:
    """The table as the contract publishes it: the next status by status and trigger, without what stays."""
    found: dict[Status, dict[Trigger, Status]] = {status: {} for status in STATUSES}
    for (status, trigger), each in TABLE.items():
        if each.status != status:
            found[status][trigger] = each.status
    return found
