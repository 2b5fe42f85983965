"""What changes a shipment: one batch of the shipment and the events that tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.contract.services import EventServices
from handlers.platform.bounded import moved_history
from handlers.platform.store.port import Document, Operation, Replace
from handlers.shipments import states, store, views

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """What a change follows from. `causation_id`: the event; a command has none."""

    correlation_id: str
    causation_id: str | None = None


def stepped(
    services: EventServices, found: Document, steps: Sequence[Json], cause: Cause
) -> tuple[list[Operation], Json]:
    """The batch that takes a shipment along `steps`, which are the shipment after each; and the last of them."""
    before, told = found.data, []
    for after in steps:
        told.append(("ShipmentStatusUpdated", views.status_updated(after, before)))
        if after["status"] == "delivered":
            told.append(("DeliveryCompleted", views.delivery_completed(after)))
        before = after
    last = settle(dict(before))
    older = moved_history(last, "events", {"order_id": last["order_id"]})
    # The rows count in the shipment's own counter, so they come before it is written.
    rows: list[Operation] = [
        services.outbox.row(
            store.CONTAINER,
            last,
            event_type=name,
            data=data,
            correlation_id=cause.correlation_id,
            causation_id=cause.causation_id,
        )
        for name, data in told
    ]
    return [Replace(last, if_match=found.etag), *rows, *older], last


def settle(shipment: Json) -> Json:
    """Without the person, once that was asked for and nobody needs the address any more."""
    over = shipment["status"] in states.FINAL or states.is_held_back(shipment)
    return views.erased(shipment) if over and shipment.get("forget") else shipment
