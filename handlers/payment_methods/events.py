"""What the saved payment methods do when they hear something."""

from __future__ import annotations

from generated import events as e
from handlers.contract.services import EventServices
from handlers.partners.breaker import PartnerUnavailable
from handlers.payment_methods import store
from handlers.platform.events import Event
from handlers.platform.patience import Transient


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Removes the customer at Stripe, with everything saved there, and then what is kept here. May be done twice.

    While Stripe is away this waits: what is kept here is the only way to what is kept there.
    """
    wallet = await store.read(services.store, event.data["user_id"])
    if wallet.customer is not None:
        try:
            await services.gateway.delete_customer(wallet.customer)
        except PartnerUnavailable as error:
            raise Transient(str(error)) from None
    await store.erase(services.store, event.data["user_id"])
