"""Who is told what, and how. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.notifications.templates import Notice


def wants_mail(notice: Notice, account: Mapping[str, Any] | None, *, is_guest: bool) -> bool:
    """Whether a mail is sent: always, but of progress only where it is wanted (contract: NotificationPreferences).

    A guest has no preferences and is told everything. An account that is gone wants nothing that it need not have.
    """
    if not notice.is_progress or is_guest:
        return True
    return account is not None and bool(_preferences(account)["email_orders"])


def phone_for(notice: Notice, account: Mapping[str, Any] | None) -> str | None:
    """The number that a text message goes to: of progress, where the customer wants it and has given one."""
    if not notice.is_progress or account is None or not _preferences(account)["sms_shipping"]:
        return None
    phone: str | None = account["phone"]
    return phone


def message_id(notice: Notice, order_id: str) -> str:
    """The id of a mail (RFC 5322, 3.6.4): a repetition has the same, so that mail programs show it once."""
    return f"<{notice.id.replace('|', '.')}.{order_id}@notifications.invalid>"


def _preferences(account: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = account["profile"]["preferences"]["notifications"]
    return found
