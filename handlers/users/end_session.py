"""Ending one session: its access tokens too, which need no store to be verified (decision 78)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from handlers.contract.call import Call
from handlers.users import store
from handlers.users.rules import Change, changed_copy

Json = dict[str, Any]

MAX_ENDED: Final = 50


class _Gone(Exception):
    """The account is not there any more, and its sessions with it."""


async def end_session(call: Call, user_id: str, session_id: str) -> None:
    """Notes in the account that a session is over, for as long as its access tokens last.

    Raises `Problem` 503 when others keep changing the account.
    """
    services = call.services
    now = services.clock.now()
    until = now + services.tokens.lifetime

    try:
        await store.change(call, user_id, lambda user: ended(user, session_id, until, now), gone=_Gone)
    except _Gone:
        return


def ended(user: Json, session_id: str, until: datetime, now: datetime) -> Change:
    """The account with a session that is over. More than `MAX_ENDED` at once end all of them."""
    changed = changed_copy(user, now)
    changed["updated_at"] = user["updated_at"]
    lasting = {key: end for key, end in user.get("ended_sessions", {}).items() if end > now.timestamp()}
    lasting[session_id] = int(until.timestamp()) + 1
    if len(lasting) > MAX_ENDED:
        lasting = {}
        changed["token_version"] += 1
    changed["ended_sessions"] = lasting
    return Change(changed)
