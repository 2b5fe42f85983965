"""The owner of an account is told what was changed or asked for in it, once (C17: the notice belongs to its change)."""

from __future__ import annotations

from handlers.contract.services import EventServices
from handlers.platform.clock import timestamp
from handlers.users import owner_notice_rules
from handlers.users import store as users
from handlers.users.owner_notice_rules import NoticeKind
from handlers.users.tell_owner import mail_token


async def notify_owner(services: EventServices, user_id: str, notice_id: str, kind: NoticeKind) -> None:
    """Sends the mail of a notice and erases the address from it; nothing where that was done before.

    A process that dies between the two sends once more: the same link, the same Message-ID. Raises what the partner
    raises, so that the event waits while it is away; `NotYetThere` where the notice is not to be seen.
    """
    notice = await users.notice(services.store, user_id, notice_id)
    if notice.data["sent_at"] is not None:
        return
    purpose = owner_notice_rules.PURPOSES.get(kind)
    token = mail_token(services, purpose, notice_id)[0] if purpose is not None else None
    await services.mailer.send(owner_notice_rules.mail_of(kind, notice.data, services.settings.public_url, token))
    await users.note_sent(services.store, notice, timestamp(services.clock.now()))
