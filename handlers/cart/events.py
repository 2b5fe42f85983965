"""What the carts do when they hear something."""

from __future__ import annotations

from contextlib import suppress

from generated import events as e
from handlers.cart import store
from handlers.contract.services import EventServices
from handlers.platform.events import Event
from handlers.platform.store.port import Delete, DocumentMissing


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Removes the cart of a deleted user. May be done twice."""
    user_id = event.data["user_id"]
    with suppress(DocumentMissing):
        await services.store.write(store.CONTAINER, Delete(store.cart_id_of(user_id)), partition=user_id)
