"""What brings shipments of earlier contracts into today's shape: `python -m handlers.worker migrate`."""

from __future__ import annotations

from typing import Any, Final

from handlers.platform.clock import moment
from handlers.platform.migrations import Migration
from handlers.platform.store.port import Eq, Query, Sort
from handlers.shipments import changes, states, store

Json = dict[str, Any]


def end_called_off(shipment: Json) -> Json | None:
    """A parcel that was called off before contract 2.0 gets the status `cancelled`, which there was not before.

    None where the parcel is or was with the carrier, or is not called off. When it was called off is not known; its
    last change is the latest that it can have been, and another run must come to the same.
    """
    if not shipment.get("called_off") or not states.may_be_called_off(shipment):
        return None
    last = max(moment(shipment["updated_at"]), moment(shipment["events"][-1]["timestamp"]))
    event_id = f"cancelled-{shipment['shipment_id']}"[:64]
    return changes.settle(states.cancelled(shipment, event_id=event_id, now=last))


def _with_status(status: states.Status) -> Query:
    """Along the index; what has not left is little, however much has arrived."""
    latest_first = (Sort("created_at", descending=True),)
    return Query(store.CONTAINER, where=Eq("status", status), sort=latest_first, purpose="migrations")


END_CALLED_OFF: Final = Migration(
    name="shipments-called-off-to-cancelled",
    reason="Parcels called off before contract 2.0 get its final status, so that carriers are not asked about them.",
    queries=(_with_status("label_created"), _with_status("exception")),
    change=end_called_off,
)
MIGRATIONS: Final = (END_CALLED_OFF,)
