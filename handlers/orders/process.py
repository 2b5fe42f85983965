"""The only writer of an order's status: a trigger, the table, one batch of the order and the events that tell of it.

Before an order is cancelled its parcel is called off (decision 75): refund and restock follow from `OrderCancelled`,
and so only from a parcel that stays. One that is with the carrier makes the order what it is: shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from handlers.contract.parcels import CallOff
from handlers.contract.services import EventServices
from handlers.orders import rules, store, telling
from handlers.orders.bells import Bells
from handlers.orders.rules import News
from handlers.orders.saga import EventName, Step, Trigger
from handlers.platform.bounded import moved_history
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.patience import NotYetThere
from handlers.platform.store.port import Document, Operation, Replace
from handlers.pricing import promotions

Json = dict[str, Any]

_DATA: Final[dict[EventName, Callable[[Json, Json], Json]]] = {
    "OrderUpdated": telling.updated,
    "OrderCancelled": telling.cancelled,
    "OrderCompleted": lambda order, _: telling.completed(order),
    "ShipmentOverdue": lambda order, _: telling.shipment_overdue(order),
    "RefundRequested": lambda order, _: telling.refund_requested(order),
}


async def hear(
    services: EventServices,
    event: Event[Any],
    trigger: Trigger,
    facts: Mapping[str, Any] | None = None,
    *,
    stage: str | None = None,
    location: str | None = None,
    reason: str | None = None,
    actor: str = "system",
) -> None:
    """Moves an order by an event, once. Nothing happens when the table says so.

    Raises `NotYetThere` when the order is not to be seen (yet).
    """
    order_id = event.data["order_id"]
    user_id = event.data.get("user_id") or await store.owner_of(services.store, order_id)
    if user_id is None:
        raise NotYetThere(f"{order_id}: an event tells of the order, and nobody owns it")
    news = News(
        trigger=trigger,
        correlation_id=event.correlation_id,
        causation_id=event.id,
        actor=actor,
        reason=reason,
        facts=facts if facts else {},
        stage=stage,
        location=location,
    )

    async def build() -> list[Operation]:
        found = await store.proven(services.store, order_id, user_id)
        return (await transition(services, found, news))[0]

    await services.inbox.once(event, store.CONTAINER, user_id, build)
    services.room(Bells).ring(order_id)


async def transition(services: EventServices, found: Document, news: News) -> tuple[list[Operation], Json]:
    """The batch that moves an order, and the order as it will be; nothing when the table says so.

    Where it ends the order the parcel is called off by now. That is done for good and may be done again: when the batch
    cannot be written, the event `ShipmentCancelled` ends the order.
    """
    reason = rules.ends_by(found.data, news)
    handed_over = reason is not None and not await _called_off(services, found.data, news, reason)
    change = rules.moved(found.data, news, timestamp(services.clock.now()), handed_over=handed_over)
    if change is None:
        return [], found.data
    after, step = change
    older = moved_history(after, "timeline", {"user_id": after["user_id"]})
    # The rows count in the order's own counter, so they come before it is written.
    rows = _announced(services, found.data, after, step, news)
    return [Replace(after, if_match=found.etag), *rows, *older], after


async def _called_off(services: EventServices, order: Json, news: News, reason: str) -> bool:
    return await services.call_off(
        services,
        CallOff(
            order_id=order["order_id"],
            user_id=order["user_id"],
            reason=reason,
            cancelled_by=news.actor,
            correlation_id=news.correlation_id,
            causation_id=news.causation_id,
        ),
    )


def _announced(services: EventServices, before: Json, after: Json, step: Step, news: News) -> list[Operation]:
    return [_row(services, name, before, after, news) for name in step.emits]


def _row(services: EventServices, name: EventName, before: Json, after: Json, news: News) -> Operation:
    return services.outbox.row(
        store.CONTAINER,
        after,
        event_type=name,
        data=_DATA[name](after, before),
        correlation_id=news.correlation_id,
        causation_id=news.causation_id,
    )


async def free_unused(services: EventServices, code: str | None, order: Mapping[str, Any]) -> None:
    """Gives a use back that was counted for an order which stands without the code, or has ended. May be done twice.

    Nobody can place that order any more, so nobody counts on the use.
    """
    if code is not None and not rules.uses(order, code):
        await promotions.release(services.store, code, order["order_id"])


async def free_promo(services: EventServices, order: Mapping[str, Any]) -> None:
    """Gives the promo code of an order back that ended without `OrderCancelled`. May be done twice."""
    if "promo_code" in order:
        await promotions.release(services.store, order["promo_code"], order["order_id"])
