"""Known devices: who guesses at an account from elsewhere locks its owner out of no device that was signed in lately.

The proof is a cookie of its own, set at every sign-in and refresh and good for 30 days. It opens nothing: it spares its
holder the limits that strangers can use up, and has a limit of its own. Nothing is stored; its MAC binds it to the
address, which it does not hold.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from handlers.contract.services import Services

LIFETIME: Final = timedelta(days=30)
MAX_LENGTH: Final = 256


def device_token(services: Services, email: str, now: datetime, *, device: str | None = None) -> str:
    """The token of a device that has just been signed in to an account, a new device unless it is known."""
    body = f"{device or secrets.token_urlsafe(12)}.{int(now.timestamp())}"
    return f"{body}.{_mac(services, email, body)}"


def known_device(services: Services, token: str | None, email: str, now: datetime) -> str | None:
    """The id of a device that was signed in to this account within `LIFETIME`, or None."""
    if token is None or len(token) > MAX_LENGTH or not token.isascii():
        return None
    body, _, mac = token.rpartition(".")
    if not hmac.compare_digest(mac, _mac(services, email, body)):
        return None
    device, _, issued = body.rpartition(".")
    return device if now.timestamp() - int(issued) < LIFETIME.total_seconds() else None


def _mac(services: Services, email: str, body: str) -> str:
    return hmac.new(services.settings.derived_key("device"), f"{email}|{body}".encode(), hashlib.sha256).hexdigest()
