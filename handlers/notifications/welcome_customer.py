"""The first mail to a new account asks for a proof of its address, once: it is sent by the event of the sign-up."""

from __future__ import annotations

from typing import Final

from handlers.contract.services import EventServices
from handlers.notifications import store
from handlers.platform.clock import timestamp
from handlers.users import mails, proofs
from handlers.users import store as users

_NOTICE: Final = "verification"


async def welcome_customer(services: EventServices, user_id: str) -> None:
    """Sends the verification mail of a sign-up; none where the address is proven, or another mail was asked for since.

    A process that dies between sending and noting sends once more: the same link, the same Message-ID.
    """
    found = await users.read(services.store, user_id)
    if found is None or found.data["email_verified"]:
        return
    user = found.data
    token, hashed = proofs.first_token(services, user_id)
    if user["verify_token"] != hashed or await store.was_sent(services.store, user_id, _NOTICE, "email"):
        return
    message_id = f"<{_NOTICE}.{user_id}@notifications.invalid>"
    public_url = services.settings.public_url
    await services.mailer.send(mails.verification(user["email"], user["name"], public_url, token, message_id))
    await store.note_sent(services.store, user_id, _NOTICE, "email", timestamp(services.clock.now()))


async def forget_welcome(services: EventServices, user_id: str) -> None:
    """Removes what was noted of an account that is gone."""
    await store.forget(services.store, user_id, _NOTICE, "email")
