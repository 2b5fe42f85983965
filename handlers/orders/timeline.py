"""The agent ecommerce-order-status is asked for the timeline of an order first; the order's own stands in for it.

Only the timeline is the agent's: status, parcel and issues stay what the order says (`x-agent` of `getOrderTracking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.orders.rules import PARCEL_WORDS
from handlers.partners.agents import agents
from handlers.platform.clock import timestamp

SERVICE: Final = "ecommerce-order-status"
TOOL: Final = "/order/timeline"
MOST: Final = 100
STAGES: Final = frozenset(
    {"order_placed", "payment_confirmed", "payment_failed", "processing", "cancelled", "refunded", *PARCEL_WORDS}
)

Json = dict[str, Any]


async def told(services: EventServices, order: Mapping[str, Any]) -> list[Json]:
    """The timeline of an order: the agent's where all of it makes sense, else ours."""
    own: list[Json] = order["timeline"]
    question = {
        "order_id": order["order_id"],
        "revision": order["revision"],
        "status": order["status"],
        "timeline": [{"stage": each["stage"], "timestamp": each["timestamp"]} for each in own],
    }
    answer = await services.room(agents).ask(SERVICE, TOOL, question)
    return (understood(answer, order["order_id"]) if answer is not None else None) or own


def understood(answer: Mapping[str, Any], order_id: str) -> list[Json] | None:
    """The points in an agent's answer, oldest first; None unless each of them makes sense."""
    points = answer.get("timeline")
    if not isinstance(points, list) or not 0 < len(points) <= MOST:
        return None
    found = [_point(each, f"{order_id[:48]}-agent-{at}") for at, each in enumerate(points)]
    known = [each for each in found if each is not None]
    return sorted(known, key=lambda each: str(each["timestamp"])) if len(known) == len(points) else None


def _point(point: Any, event_id: str) -> Json | None:
    if not isinstance(point, Mapping) or not isinstance(point.get("stage"), str) or point["stage"] not in STAGES:
        return None
    moment = _moment(point.get("timestamp"))
    words = _text(point.get("description"), 300)
    if moment is None or words is None:
        return None
    found = {"event_id": event_id, "stage": point["stage"], "description": words, "timestamp": moment}
    place = _text(point.get("location"), 200)
    return {**found, "location": place} if place is not None else found


def _text(value: object, longest: int) -> str | None:
    return value if isinstance(value, str) and value.strip() and len(value) <= longest else None


def _moment(value: object) -> str | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return timestamp(found) if found is not None and found.tzinfo is not None else None
