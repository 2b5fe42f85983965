"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes. No I/O."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import pyotp
from pyotp.utils import strings_equal

from handlers.users.rules import Change, changed_copy, no_second_factor

Json = dict[str, Any]

ISSUER: Final = "Holiday Peak Hub"
STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
# Without letters and digits that are taken for one another.
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_DRIFT: Final = (0, -1, 1)


def new_secret() -> str:
    """A new secret of 160 bits, in base32 (RFC 4226, 4)."""
    return pyotp.random_base32()


def otpauth_uri(secret: str, email: str) -> str:
    """The address that apps read from a QR code, every parameter said."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return f"{uri}&algorithm=SHA1&digits=6&period={STEP_SECONDS}"


def matching_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step a code belongs to: this one or a neighbour (clocks drift), and later than any used before."""
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current + drift for drift in _DRIFT):
        if step > last_step and strings_equal(totp.generate_otp(step), code):
            return step
    return None


def recovery_hash(key: bytes, user_id: str, code: str) -> str:
    """What is kept of a recovery code. Keyed: its 49 bits of chance alone would not stand a search."""
    plain = code.replace("-", "").upper()
    return hmac.new(key, f"recovery|{user_id}|{plain}".encode(), hashlib.sha256).hexdigest()


def started(user: Json, sealed: str, now: datetime) -> Change | None:
    """The account with a secret that waits for its first code; None when the second factor is on already."""
    if user["two_factor"]["state"] == "on":
        return None
    changed = changed_copy(user, now)
    changed["two_factor"] = {"state": "pending", "secret": sealed, "last_step": 0, "recovery_codes": []}
    return Change(changed)


def switched_on(user: Json, step: int, recovery_hashes: Iterable[str], now: datetime) -> Change:
    """The account with the second factor in force; the code that switched it on is used up."""
    changed = changed_copy(user, now)
    changed["two_factor"] |= {"state": "on", "last_step": step, "recovery_codes": list(recovery_hashes)}
    return Change(changed)


def with_recovery_codes(user: Json, recovery_hashes: Iterable[str], now: datetime) -> Change | None:
    """The account with other recovery codes; None when the second factor is not on."""
    if user["two_factor"]["state"] != "on":
        return None
    changed = changed_copy(user, now)
    changed["two_factor"]["recovery_codes"] = list(recovery_hashes)
    return Change(changed)


def switched_off(user: Json, now: datetime) -> Change:
    """The account without a second factor, secret and codes forgotten."""
    changed = changed_copy(user, now)
    changed["two_factor"] = no_second_factor()
    return Change(changed)


def with_code_used(user: Json, secret: str, code: str, hashed: str, now: datetime) -> Change | None:
    """The account with a code used up: one of the app's, or the recovery code whose hash is `hashed`. None: wrong."""
    factor = user["two_factor"]
    if len(code) == 6:
        step = matching_step(secret, code, now, factor["last_step"])
        if step is None:
            return None
        changed = changed_copy(user, now)
        changed["two_factor"]["last_step"] = step
        return Change(changed)
    if hashed not in factor["recovery_codes"]:
        return None
    changed = changed_copy(user, now)
    changed["two_factor"]["recovery_codes"].remove(hashed)
    return Change(changed)
