"""How an account changes its e-mail address: asked for, proven, undone. Pure (decision 77).

The address in force stays until its successor is proven. The old one can take the change back for `UNDO`, also after
the new one was proven; for as long it is kept for the account, so that nobody signs up with it meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from handlers.platform.clock import moment, timestamp
from handlers.users.rules import Change, Field, changed_copy

Json = dict[str, Any]

UNDO: Final = timedelta(hours=72)
MAX_CHANGES: Final = 10


def undoable(user: Json, now: datetime) -> list[Json]:
    """The changes that may still be undone, oldest first. Documents from before this rule have none."""
    return [change for change in user.get("email_changes", ()) if moment(change["until"]) > now]


def holds_address(user: Json, email: str, now: datetime) -> bool:
    """Whether an address is the account's: in force, or kept for it because its change may be undone."""
    return bool(user["email"] == email or any(change["old"] == email for change in undoable(user, now)))


def requested(user: Json, new: str, *, verify_token: str, undo_token: str, now: datetime) -> Change | None:
    """The account with a change that waits for its proof; None when there were too many of late.

    Both tokens are hashes. A change that was waiting loses its force, but its undo link does not.
    """
    changes = undoable(user, now)
    if len(changes) >= MAX_CHANGES:
        return None
    changed = changed_copy(user, now)
    change = {"old": user["email"], "undo_token": undo_token, "until": timestamp(now + UNDO)}
    changed["email_changes"] = [*changes, change]
    changed["pending_email"] = {"email": new, "token": verify_token}
    return Change(changed)


def called_off(user: Json, now: datetime) -> Change:
    """The account without the change that was waiting. Undo links stay good."""
    changed = changed_copy(user, now)
    changed["pending_email"] = None
    return Change(changed)


def pending_address(user: Json, token_hash: str) -> str | None:
    """The address that a mailed token proves for a change, or None when it belongs to no waiting change."""
    pending = user.get("pending_email")
    return str(pending["email"]) if pending is not None and pending["token"] == token_hash else None


def proven(user: Json, token_hash: str, now: datetime) -> Change | None:
    """The account with its new address in force, proven; None when the token is not that of the waiting change.

    Every session is over, and links in older mails are without force.
    """
    address = pending_address(user, token_hash)
    if address is None:
        return None
    changed = changed_copy(user, now)
    changed |= {"email": address, "email_verified": True, "pending_email": None}
    changed |= {"verify_token": None, "reset_token": None, "token_version": user["token_version"] + 1}
    fields: tuple[Field, ...] = ("email",) if user["email_verified"] else ("email", "email_verified")
    return Change(changed, fields)


def undone(user: Json, token_hash: str, now: datetime) -> Change | None:
    """The account as its old address wants it back; None when the token undoes nothing (any more).

    Later changes are undone with this one. The link came through the old mailbox, which proves it. Whoever asked for
    the change knew the password: it is void, and every session over.
    """
    changes = undoable(user, now)
    at = next((i for i, change in enumerate(changes) if change["undo_token"] == token_hash), None)
    if at is None:
        return None
    changed = changed_copy(user, now)
    changed |= {"email": changes[at]["old"], "email_verified": True, "email_changes": changes[:at]}
    changed |= {"pending_email": None, "verify_token": None, "reset_token": None, "password_hash": None}
    changed["token_version"] += 1
    fields: list[Field] = ["password"] if user["password_hash"] is not None else []
    fields += ["email"] if changed["email"] != user["email"] else []
    fields += [] if user["email_verified"] else ["email_verified"]
    return Change(changed, tuple(fields))
