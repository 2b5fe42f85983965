"""Tokens that go out by mail: derived by a key, kept as a hash until they end, in force while the account names them.

The account holds the hash of the last token sent for a purpose. Using one is one guarded write of the account, which
takes the hash away together with the token's effect: single use and effect cannot come apart, and a later mail replaces
an earlier one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from handlers.platform.clock import moment, timestamp
from handlers.platform.store.port import Create, DocumentStore

CONTAINER: Final = "auth_tokens"
Purpose = Literal["verify", "reset", "undo"]

LIFETIME: Final[dict[Purpose, timedelta]] = {
    "verify": timedelta(hours=24),
    "reset": timedelta(hours=1),
    "undo": timedelta(hours=72),
}
_PREFIX: Final[dict[Purpose, str]] = {"verify": "vm-", "reset": "pr-", "undo": "um-"}
# Kept longer than it is good for, so that an old token can be told from an unknown one.
_REMEMBERED: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class MailToken:
    """A token of a mail: what we know by its hash. `expired`: its time is over."""

    hash: str
    user_id: str
    expired: bool


def derived_token(key: bytes, purpose: Purpose, notice_id: str) -> tuple[str, str]:
    """The token of a mail, and its hash. `key`: derived from DATA_KEY; `notice_id`: of this mail alone.

    Whoever sends the mail derives it again, so it stands in no event and in no document, and a mail that is sent once
    more has the same link.
    """
    chance = hmac.digest(key, f"{purpose}|{notice_id}".encode(), "sha256")[:24]
    token = _PREFIX[purpose] + base64.urlsafe_b64encode(chance).decode()
    return token, token_hash(token)


def sign_up_token(key: bytes, user_id: str) -> tuple[str, str]:
    """The token of an account's first verification mail, and its hash: derived from the account's id."""
    return derived_token(key, "verify", user_id)


def token_hash(token: str) -> str:
    """What is kept of a token; 192 bits that nobody can guess need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


async def keep(store: DocumentStore, purpose: Purpose, hashed: str, *, user_id: str, now: datetime) -> None:
    """Keeps a token's hash until it ends."""
    lifetime = LIFETIME[purpose]
    document = {
        "id": hashed,
        "token_hash": hashed,
        "purpose": purpose,
        "user_id": user_id,
        "expires_at": timestamp(now + lifetime),
        "ttl": int((lifetime + _REMEMBERED).total_seconds()),
    }
    await store.write(CONTAINER, Create(document))


async def find(store: DocumentStore, purpose: Purpose, token: str, now: datetime) -> MailToken | None:
    """What is known of a token, or None."""
    hashed = token_hash(token)
    found = await store.read(CONTAINER, hashed, hashed)
    if found is None or found.data["purpose"] != purpose:
        return None
    data = found.data
    return MailToken(hashed, data["user_id"], moment(data["expires_at"]) <= now)
