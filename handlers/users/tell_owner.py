"""Mails about what was changed in an account, to its owner: every change of a credential or a factor is told."""

from __future__ import annotations

from typing import Any

from handlers.contract.services import Services
from handlers.partners.mail import Message
from handlers.platform.attempts import may_mail

Json = dict[str, Any]


def tell_owner(services: Services, user: Json, message: Message) -> None:
    """Sends a mail about a change of the account `user`, in the background: a process that dies meanwhile loses it.

    Where the address was never proven it may be a stranger's, whose mailbox is not to be filled this way.
    """

    async def send() -> None:
        if user["email_verified"] or await may_mail(services.limits, message.to):
            await services.mailer.send(message)

    services.background.spawn(send(), "mail to the owner")
