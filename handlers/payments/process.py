"""Paying an order: what the order process calls. Every function may be called again, and then does nothing twice.

The provider is asked first and believed; what it says is written with its event in one batch. Whoever is slower, of
confirmation, webhook and order process, finds the change made (decision 33). All raise `PartnerUnavailable` when the
provider cannot be asked; nothing has changed then, and the same call again is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.partners.payments import (
    Cancelled,
    Decline,
    Declined,
    InDoubt,
    Intent,
    Known,
    Outcome,
    PaymentRefused,
    Processing,
    RequiresAction,
    Succeeded,
    outcome_of,
)
from handlers.payments import attempts, messages, rules, store
from handlers.payments.rules import ABANDONED, Cause, Payable
from handlers.payments.states import EventName, Happening, State, happened, is_open, is_paid, step
from handlers.platform.clock import timestamp
from handlers.platform.errors import not_found, unprocessable
from handlers.platform.store.port import Create, Operation

Json = dict[str, Any]

_DATA: Final[dict[EventName, Callable[[Mapping[str, Any], str], Mapping[str, Any]]]] = {
    "PaymentProcessed": messages.processed,
    "PaymentPending": messages.pending,
    "PaymentAttemptFailed": messages.attempt_failed,
    "PaymentFailed": messages.failed,
}


@dataclass(frozen=True, slots=True)
class Result:
    """A payment as it is now, and what the last attempt came to.

    `in_doubt`: nobody can tell yet; a webhook or `refresh` will. `client_secret`: for the customer's browser, while
    there is something to do.
    """

    payment: Json
    decline: Decline | None = None
    client_secret: str | None = field(default=None, repr=False)
    in_doubt: bool = False

    @property
    def status(self) -> State:
        """The state of the payment."""
        status: State = self.payment["status"]
        return status

    @property
    def paid(self) -> bool:
        """Whether the money came."""
        return is_paid(self.status)


async def prepare(services: EventServices, payable: Payable, cause: Cause, *, customer: str | None = None) -> Result:
    """The payment of an order, not tried: made if there is none. With the client secret while it can be paid.

    `customer`: the payer's id at Stripe, needed to charge what is saved there.
    """
    payment = await store.payment_of(services.store, payable.order_id)
    if payment is None:
        intent = await services.gateway.create_intent(rules.intent_order(payable, customer))
        now = timestamp(services.clock.now())
        payment = await store.open_payment(services.store, rules.new_payment(payable, intent.id, cause, now))
        if payment["payment_intent_id"] == intent.id and is_open(payment["status"]):
            return Result(payment, client_secret=intent.client_secret)
    if not is_open(payment["status"]) and not attempts.must_end(payment):
        return Result(payment)
    return await refresh(services, payment, cause)


async def pay_nothing(services: EventServices, payable: Payable, cause: Cause) -> Result:
    """Pays an order that costs nothing, without the provider, once. One that has ended before stays unpaid."""
    payment = await store.payment_of(services.store, payable.order_id)
    if payment is None:
        now = timestamp(services.clock.now())
        paid = rules.unprepared(payable, cause, now)
        _, rows = _apply(services, paid, "succeeded", cause, now)
        payment = await store.open_payment(services.store, paid, *rows)
    return Result(payment)


async def charge(services: EventServices, payable: Payable, method_id: str, customer: str, cause: Cause) -> Result:
    """Charges a saved payment method (its id at Stripe) once. After a decline the customer may try another (76).

    A repetition does nothing once an attempt has failed, whatever it was made with: from then on the customer decides.
    Raises `PaymentRefused` (invalid) when the method is gone or another's; `decline` then writes that.
    """
    prepared = await prepare(services, payable, cause, customer=customer)
    payment = prepared.payment
    failure = payment["failure"]
    if payment["attempts"] and failure is not None:
        return replace(prepared, decline=Decline(failure["code"], failure["message"]))
    if prepared.status != "created" or prepared.in_doubt:
        return prepared
    outcome = await services.gateway.confirm(payment["id"], method_id, _attempt_key(payment, method_id))
    return await _recorded(services, payment, outcome, cause, tried=method_id)


async def decline(
    services: EventServices, payable: Payable, cause: Cause, why: Decline, *, tried: str, customer: str | None
) -> Result:
    """Writes that a saved method could not even be tried. Done twice, it is one failed attempt."""
    prepared = await prepare(services, payable, cause, customer=customer)
    payment = prepared.payment
    if payment["attempts"] or prepared.status != "created":
        return prepared

    def edit(current: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        if current["attempts"]:
            return (), ()
        now = timestamp(services.clock.now())
        return _apply(services, current, "declined", cause, now, why=why, tried=tried)

    payment, _ = await store.change(services.store, payable.order_id, payment["id"], edit)
    return Result(payment, decline=why, client_secret=prepared.client_secret)


async def confirm(
    services: EventServices,
    order_id: str,
    intent_id: str,
    cause: Cause,
    *,
    method_id: str | None = None,
    seen: Intent | None = None,
) -> Result:
    """Confirms with a payment method, or reads what the browser has confirmed. The caller owns the order.

    `seen`: the intent, where it has just been read.

    Raises `Problem`: 404 for a payment that is not this order's, 422 `payment_method_invalid`, `payment_declined` for
    a method that was declined for good.
    """
    payment = await store.read(services.store, order_id, intent_id)
    if payment is None or payment["type"] != "payment":
        raise not_found("Payment intent", payment_intent_id=intent_id)
    if attempts.must_end(payment):
        return await _exhausted(services, Result(payment), cause)
    if not is_open(payment["status"]):
        return Result(payment)
    if method_id is None:
        intent = seen or await services.gateway.retrieve(intent_id)
        return await _recorded(services, payment, outcome_of(intent), cause)
    refused = attempts.refused_with(payment, method_id)
    if refused is not None:
        raise rules.declined(payment, Decline(refused, "This payment method was declined for good"))
    try:
        outcome = await services.gateway.confirm(intent_id, method_id, _attempt_key(payment, method_id))
    except PaymentRefused:
        raise unprocessable("This payment method cannot be used", "payment_method_invalid") from None
    return await _recorded(services, payment, outcome, cause, tried=method_id)


async def refresh(
    services: EventServices, payment: Json, cause: Cause, *rows: Operation, failed: Decline | None = None
) -> Result:
    """Asks the provider how a payment stands and writes what is new. `rows` go into the same batch, if there is one.

    `failed`: an attempt that is told of, and may not be the last one by now.
    """
    intent = await services.gateway.retrieve(payment["payment_intent_id"])
    return await _recorded(services, payment, outcome_of(intent), cause, rows=rows, failed=failed)


async def give_up(services: EventServices, payable: Payable, cause: Cause, why: Decline = ABANDONED) -> Result:
    """Ends a payment for good, with `PaymentFailed`: not paid in time, or declined too often.

    The intent is cancelled first, so that nobody can pay it any more. When somebody just has, the result is `paid` and
    the order goes on; when the provider is still at it, `processing`, and a webhook tells.
    """
    return await _ended(services, payable, cause, "given_up", why)


async def cancel(services: EventServices, payable: Payable, cause: Cause) -> Result:
    """Ends the payment of an order that was cancelled, without an event. `paid` means: it was paid, so refund it."""
    return await _ended(services, payable, cause, "cancelled", None)


async def _ended(
    services: EventServices, payable: Payable, cause: Cause, happening: Happening, why: Decline | None
) -> Result:
    payment = await store.payment_of(services.store, payable.order_id)
    if payment is None:
        payment = await _never_prepared(services, payable, cause, happening, why)
    if payment["payment_intent_id"] is None or step(payment["status"], happening) is None:
        return Result(payment)
    return await _end(services, payment, cause, happening, why)


async def _end(
    services: EventServices, payment: Json, cause: Cause, happening: Happening, why: Decline | None
) -> Result:
    """Cancels the intent, then writes so; what it is when that is too late."""
    now = timestamp(services.clock.now())
    await _begun(services, payment, happening)
    outcome = await services.gateway.cancel(payment["id"])
    if not isinstance(outcome, Cancelled):
        return await _recorded(services, payment, outcome, cause)

    def edit(current: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        return _apply(services, current, happening, cause, now, why=why)

    payment, _ = await store.change(services.store, payment["order_id"], payment["id"], edit)
    return Result(payment)


async def _exhausted(services: EventServices, result: Result, cause: Cause) -> Result:
    """Ends a payment that has been declined too often: the order ends with it, and its stock is free again."""
    failure = result.payment["failure"]
    why = Decline(failure["code"], failure["message"])
    return replace(await _end(services, result.payment, cause, "given_up", why), decline=result.decline)


async def _begun(services: EventServices, payment: Json, happening: Happening) -> None:
    """Says that it is us who end a payment, before the provider can tell anybody that it has ended."""
    if "ending" in payment:
        return

    def edit(current: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        if "ending" in current:
            return (), ()
        current["ending"] = happening
        return [current["id"]], ()

    await store.change(services.store, payment["order_id"], payment["id"], edit)


async def _never_prepared(
    services: EventServices, payable: Payable, cause: Cause, happening: Happening, why: Decline | None
) -> Json:
    """Takes the place of the payment, so that none can be prepared any more; answers one that was faster."""
    now = timestamp(services.clock.now())
    unpaid = rules.unprepared(payable, cause, now)
    _, rows = _apply(services, unpaid, happening, cause, now, why=why)
    return await store.open_payment(services.store, unpaid, *rows)


async def _recorded(
    services: EventServices,
    payment: Json,
    outcome: Outcome,
    cause: Cause,
    *,
    tried: str | None = None,
    rows: Sequence[Operation] = (),
    failed: Decline | None = None,
) -> Result:
    """Writes what an outcome changes. The answer tells of this attempt, whoever has written it."""
    if isinstance(outcome, InDoubt):
        return Result(payment, in_doubt=True)
    happening = happened(outcome)
    if happening is not None or rows or failed is not None:
        now = timestamp(services.clock.now())

        def edit(current: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
            counted = _count_earlier(current, outcome, failed)
            if happening is None or not _is_news(current, outcome, tried):
                return counted, rows
            seen, why = _understood(current, happening), outcome.decline if isinstance(outcome, Declined) else None
            if seen == "stopped":
                why = rules.STOPPED
            names, more = _apply(services, current, seen, cause, now, why=why, tried=tried)
            if names and isinstance(outcome, Succeeded | Processing):
                rules.paid_with(current, outcome.intent)
                current |= rules.forgotten(current)
            return names or counted, (*rows, *more)

        payment, _ = await store.change(services.store, payment["order_id"], payment["id"], edit)
    result = _result(payment, outcome)
    if attempts.must_end(payment):
        return await _exhausted(services, result, cause)
    return result


def _result(payment: Json, outcome: Known) -> Result:
    decline = outcome.decline if isinstance(outcome, Declined) else None
    secret = outcome.intent.client_secret if is_open(payment["status"]) else None
    return Result(payment, decline=decline, client_secret=secret or None)


def _count_earlier(payment: Json, outcome: Known, failed: Decline | None) -> Sequence[str]:
    """Counts an attempt that is told of after another one was made; answers the payment, if that changed it."""
    last = outcome.decline.attempt if isinstance(outcome, Declined) else None
    if failed is None or failed.attempt == last or not is_open(payment["status"]):
        return ()
    if not attempts.is_new(payment, failed, None):
        return ()
    attempts.count(payment, failed)
    payment["failure"] = payment["failure"] or _failure(failed, None)
    return [payment["id"]]


def _is_news(payment: Json, outcome: Known, tried: str | None) -> bool:
    """Whether an outcome says more than is written. A decline is read from the provider many times."""
    if isinstance(outcome, RequiresAction | Processing):
        return bool(happened(outcome) != _as_happened(payment["status"]))
    return not isinstance(outcome, Declined) or attempts.is_new(payment, outcome.decline, tried)


def _understood(payment: Json, happening: Happening) -> Happening:
    """A payment that ended at the provider, and not by us, was stopped."""
    return "stopped" if happening == "cancelled" and "ending" not in payment else happening


def _as_happened(state: State) -> str:
    return "action_required" if state == "requires_action" else state


def _apply(
    services: EventServices,
    payment: Json,
    happening: Happening,
    cause: Cause,
    now: str,
    *,
    why: Decline | None = None,
    tried: str | None = None,
) -> tuple[Sequence[str], Sequence[Operation]]:
    """Changes a payment as the table says, in place; answers it, if it changed, and the row of its event."""
    found = step(payment["status"], happening)
    if found is None:
        return (), ()
    payment |= {"status": found.state, "updated_at": now}
    if why is not None:
        payment["failure"] = _failure(why, tried)
        if happening == "declined":
            attempts.count(payment, why)
            if tried is not None:
                attempts.note_refused(payment, why, tried)
    if happening == "succeeded":
        payment |= {"paid_at": now, "failure": None}
    rows = [_event(services, payment, found.event, cause, now)] if found.event is not None else []
    payment |= rules.forgotten(payment)
    return [payment["id"]], rows


def _event(services: EventServices, payment: Json, name: EventName, cause: Cause, now: str) -> Create:
    return services.outbox.row(
        store.CONTAINER,
        payment,
        event_type=name,
        data=_DATA[name](payment, now),
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
    )


def _failure(decline: Decline, tried: str | None) -> Json:
    """What is kept of a decline. `tried`: the method, where it was one that we have tried."""
    return {"code": decline.code, "message": decline.message, "tried": tried}


def _attempt_key(payment: Json, method_id: str) -> str:
    """The same for the same attempt, whoever makes it; another one after a decline was written."""
    return f"{payment['id']}|{method_id}|{payment['attempts']}"
