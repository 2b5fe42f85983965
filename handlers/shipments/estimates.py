"""The agent logistics-eta-computation is asked when a parcel arrives (`x-agent` of `getShipment`, fallback own)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.partners.agents import agents
from handlers.platform.clock import moment, timestamp
from handlers.shipments import states

SERVICE: Final = "logistics-eta-computation"
TOOL: Final = "/logistics/eta"


async def estimated(services: EventServices, shipment: Mapping[str, Any]) -> str:
    """When a parcel arrives: the agent's estimate while it is under way, where it makes sense; else the one we have."""
    own: str = shipment["estimated_delivery"]
    if shipment["status"] in states.FINAL:
        return own
    last = shipment["events"][-1]["timestamp"]
    question = {
        "shipment_id": shipment["shipment_id"],
        "carrier": shipment["carrier"],
        "service_level": shipment["service_level"],
        "status": shipment["status"],
        "estimated_delivery": own,
        "last_event_at": last,
        "country": shipment["destination"]["country"],
    }
    answer = await services.room(agents).ask(SERVICE, TOOL, question)
    said = _moment(answer.get("estimated_delivery")) if answer is not None else None
    return timestamp(said) if said is not None and said >= moment(last) else own


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
