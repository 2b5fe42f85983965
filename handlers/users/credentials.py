"""Proving to be the owner by password, and setting a new one."""

from __future__ import annotations

from typing import Any, Final

from generated.errors import ErrorRule
from handlers.contract.call import Call
from handlers.platform.attempts import attempt, forgive
from handlers.platform.errors import Problem, unprocessable
from handlers.platform.store.port import Document
from handlers.users import store
from handlers.users.rules import Change, password_fault

Json = dict[str, Any]

_FAULTS: Final[dict[ErrorRule, str]] = {
    "password_too_long": "The password is longer than 72 bytes in UTF-8",
    "password_too_common": "The password is on the list of common passwords",
    "password_contains_email": "The password contains the e-mail address",
}


def check_new_password(password: str, email: str) -> None:
    """Raises `Problem` 422 when a new password breaks a rule (decision 18)."""
    rule = password_fault(password, email)
    if rule is not None:
        raise unprocessable(_FAULTS[rule], rule)


async def proven(call: Call, password: str) -> Document:
    """The caller's account, its owner proven by password: a stolen session alone does not get this far.

    Raises `Problem`: 422 for a wrong password, or where the account has none; 429 for too many attempts.
    """
    services = call.services
    account = f"user:{call.principal.id}"
    await attempt(services.limits, call.request.address, account)
    found = await store.signed_in(call)
    if not await services.passwords.matches(password, found.data["password_hash"]):
        raise wrong_password()
    await forgive(services.limits, account)
    return found


def still_proven(user: Json, proof: Document) -> None:
    """Raises `Problem` 422 when the password is no longer the one that was proven."""
    if user["password_hash"] != proof.data["password_hash"]:
        raise wrong_password()


async def renew_hash(call: Call, proof: Document, password: str) -> None:
    """Hashes a password that was just proven at today's cost, so that accounts do not differ by the time of a check."""
    hashed = await call.services.passwords.hash(password)

    def decide(user: Json) -> Change:
        still_proven(user, proof)
        return Change({**user, "password_hash": hashed})

    await store.change(call, proof.data["user_id"], decide)


def wrong_password() -> Problem:
    """422: the password given as proof is not the account's."""
    return unprocessable("The password is wrong", "invalid_credentials")
