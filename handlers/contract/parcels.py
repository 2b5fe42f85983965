"""How rooms below shipments have a parcel called off: they know this port, the room `shipments` is behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.contract.services import EventServices


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOff:
    """Why no parcel is to leave for an order any more. `causation_id`: the event that led to it; a command has none."""

    order_id: str
    user_id: str
    reason: str
    cancelled_by: str
    correlation_id: str
    causation_id: str | None = None


# True: no parcel leaves for the order any more, now or later. False: it is with the carrier, and nothing was changed.
CallOffParcel = Callable[["EventServices", CallOff], Awaitable[bool]]
