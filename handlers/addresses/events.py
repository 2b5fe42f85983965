"""What the address books do when they hear something."""

from __future__ import annotations

from generated import events as e
from handlers.addresses import store
from handlers.contract.services import EventServices
from handlers.platform.events import Event


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Erases the book of a deleted user. May be done twice."""
    await store.erase(services.store, event.data["user_id"])
