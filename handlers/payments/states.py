"""The states of a payment as one table: (state, what happened) -> (state, event). Pure.

What is not in the table changes nothing: a message that comes late, again, or out of order. What happened is always
read from the provider, so the table need not guess which of two messages is the newer one.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from handlers.partners.payments import Cancelled, Declined, IntentStatus, Known, Open, Processing, RequiresAction
from handlers.platform.errors import DocumentNewer

State = Literal[
    "created",
    "requires_action",
    "processing",
    "succeeded",
    "failed",
    "cancelled",
    "partially_refunded",
    "refunded",
]
Happening = Literal[
    "declined",
    "action_required",
    "processing",
    "succeeded",
    "given_up",
    "cancelled",
    "stopped",
    "refunds_none",
    "refunds_some",
    "refunds_all",
]
EventName = Literal["PaymentProcessed", "PaymentPending", "PaymentAttemptFailed", "PaymentFailed"]


class Step(NamedTuple):
    """Where a payment goes, and the event that tells of it."""

    state: State
    event: EventName | None = None


_TRYING: Final[tuple[State, ...]] = ("created", "requires_action", "processing")
_PAID: Final[tuple[State, ...]] = ("succeeded", "partially_refunded", "refunded")
_ENDED: Final[tuple[State, ...]] = ("failed", "cancelled")

TABLE: Final[dict[tuple[State, Happening], Step]] = {
    # A declined attempt is no end: the customer may try another method (decision 76).
    **{(state, "declined"): Step("created", "PaymentAttemptFailed") for state in _TRYING},
    **{(state, "action_required"): Step("requires_action") for state in _TRYING},
    # Accepted and not settled: delayed methods take days, and the order's deadline must not end it meanwhile.
    **{(state, "processing"): Step("processing", "PaymentPending") for state in ("created", "requires_action")},
    ("processing", "processing"): Step("processing"),
    # An intent ends at the provider before it ends here, so money cannot come after that. If it does all the same, it
    # is there, and the order process has to hear of it.
    **{(state, "succeeded"): Step("succeeded", "PaymentProcessed") for state in (*_TRYING, *_ENDED)},
    # Whoever gives up says so here, cancels at the provider, and writes what came of it. A webhook may tell of that
    # before it is written, or a process be killed in between: the order process has to hear of it all the same.
    **{(state, "given_up"): Step("failed", "PaymentFailed") for state in (*_TRYING, "cancelled")},
    **{(state, "cancelled"): Step("cancelled") for state in _TRYING},
    # Ended at the provider by somebody else: by its own rules, or by hand in its dashboard.
    **{(state, "stopped"): Step("failed", "PaymentFailed") for state in _TRYING},
    # Refunds are sums; one that fails at the bank comes back.
    **{(state, "refunds_none"): Step("succeeded") for state in _PAID},
    **{(state, "refunds_some"): Step("partially_refunded") for state in _PAID},
    **{(state, "refunds_all"): Step("refunded") for state in _PAID},
}

_SHOWN: Final[dict[State, IntentStatus]] = {
    "created": "requires_payment_method",
    "requires_action": "requires_action",
    "processing": "processing",
    "succeeded": "succeeded",
    "failed": "cancelled",
    "cancelled": "cancelled",
    "partially_refunded": "succeeded",
    "refunded": "succeeded",
}


def step(state: State, happening: Happening) -> Step | None:
    """The next state, or None when nothing changes. Raises `DocumentNewer` for a state that is not known here."""
    if state not in _SHOWN:
        raise DocumentNewer("The payment's state")
    return TABLE.get((state, happening))


def happened(outcome: Known) -> Happening | None:
    """What an outcome at the provider means here; None when nothing has been tried."""
    if isinstance(outcome, Open):
        return None
    if isinstance(outcome, Declined):
        return "declined"
    if isinstance(outcome, RequiresAction):
        return "action_required"
    if isinstance(outcome, Processing):
        return "processing"
    return "cancelled" if isinstance(outcome, Cancelled) else "succeeded"


def refunds_happened(paid: int, refunded: int) -> Happening:
    """What the sum of the refunds means."""
    if refunded <= 0:
        return "refunds_none"
    return "refunds_all" if refunded >= paid else "refunds_some"


def is_open(state: State) -> bool:
    """Whether this payment may still be paid."""
    return state in _TRYING


def is_paid(state: State) -> bool:
    """Whether the money came, refunded or not."""
    return state in _PAID


def shown(state: State) -> IntentStatus:
    """The state in the contract's words (PaymentIntentStatus)."""
    return _SHOWN[state]
