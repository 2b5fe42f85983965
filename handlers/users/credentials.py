"""Proving to be the owner by password, and setting a new one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from generated.errors import ErrorRule
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.attempts import attempt, forgive
from handlers.platform.errors import Problem, forbidden, unprocessable
from handlers.platform.store.port import Document
from handlers.platform.vault import Vault
from handlers.users import factors, store
from handlers.users.owner_notice_rules import NoticeKind
from handlers.users.password_rules import password_fault
from handlers.users.rules import Change, two_factor_on
from handlers.users.tell_owner import may_tell, telling

Json = dict[str, Any]

TOTP_DIGITS: Final = 6

# How old a sign-in may be that stands for the password of an account that has none (social login).
FRESH: Final = timedelta(minutes=10)

_FAULTS: Final[dict[ErrorRule, str]] = {
    "password_too_long": "The password is longer than 72 bytes in UTF-8",
    "password_repetitive": "The password is one character again and again",
    "password_contains_name": "The password contains the name of its owner or of the shop",
    "password_too_common": "The password is on the list of common passwords",
    "password_contains_email": "The password contains the e-mail address",
}


def check_new_password(password: str, email: str, name: str) -> None:
    """Raises `Problem` 422 when a new password breaks a rule (decision 18)."""
    rule = password_fault(password, email, name)
    if rule is not None:
        raise unprocessable(_FAULTS[rule], rule)


async def proven(call: Call, password: str | None) -> Document:
    """The caller's account, its owner proven by password: a stolen session alone does not get this far.

    An account without a password (social login) is proven by a sign-in no older than `FRESH`. The second factor is
    `change_proven`'s. Raises `Problem`: 422 for a wrong password; 403 where a fresh sign-in is needed; 429 for too many
    attempts; 401 when the session is over.
    """
    services = call.services
    if password is None:
        found = await store.signed_in_now(call)
        if found.data["password_hash"] is not None:
            raise wrong_password()
        if services.clock.now().timestamp() - call.principal.authenticated_at > FRESH.total_seconds():
            raise reauthentication_required()
        return found
    account = f"user:{call.principal.id}"
    await attempt(services.limits, call.request.address, account)
    found = await store.signed_in_now(call)
    if not await services.passwords.matches(password, found.data["password_hash"]):
        call.security_event("reauthentication", "failure", reason="invalid_credentials")
        raise wrong_password()
    await forgive(services.limits, account)
    return found


async def change_proven(
    call: Call,
    proof: Document,
    code: str | None,
    decide: Callable[[Json], Change],
    *,
    kind: NoticeKind | None = None,
) -> Json:
    """Changes the account of a proven owner, who shows the second factor besides where it is on; answers the account.

    The code is used up with the change. `kind`: what the owner is told of it. Raises `Problem`: 422
    `mfa_required` without a code, `mfa_code_invalid` for a wrong one; 429 for too many attempts; what `decide` raises.
    """
    services, user_id = call.services, proof.data["user_id"]
    guessing = two_factor_on(proof.data)
    if guessing and code is not None:
        await attempt(services.limits, call.request.address, f"mfa:{user_id}")
    recovering = guessing and code is not None and len(code) != TOTP_DIGITS
    # Asked only where there is something to tell: for an address that was never proven, asking counts as a mail.
    may = (recovering or kind is not None) and await may_tell(services, proof.data)

    def guarded(user: Json) -> Change:
        still_proven(user, proof)
        try:
            before = with_factor_shown(services, user, code)
        except Problem as problem:
            call.security_event("second_factor", "failure", reason=problem.rule or "")
            raise
        change = decide(before)
        if code is not None and len(code) != TOTP_DIGITS and before is not user:
            change = telling(change, "recovery_code_used", may=may)
        return telling(change, kind, may=may) if kind is not None else change

    changed = (await store.change(call, user_id, guarded)).data
    if guessing:
        await forgive(services.limits, f"mfa:{user_id}")
    return changed


def with_factor_shown(services: Services, user: Json, code: str | None) -> Json:
    """The account with the code used up, where its second factor is on; else as it is. Raises `Problem` 422."""
    if not two_factor_on(user):
        return user
    if code is None:
        raise unprocessable("A code of the second factor is needed", "mfa_required")
    change = with_code_used(services, user, code)
    if change is None:
        raise unprocessable("The code is wrong", "mfa_code_invalid")
    return change.user


def with_code_used(services: Services, user: Json, code: str) -> Change | None:
    """The account with a second factor's code used up, or None when the code is wrong. For accounts that have one."""
    user_id = user["user_id"]
    secret = vault(services).open(user["two_factor"]["secret"], user_id)
    hashed = factors.recovery_hash(recovery_key(services), user_id, code)
    return factors.with_code_used(user, secret, code, hashed, services.clock.now())


def vault(services: Services) -> Vault:
    """What TOTP secrets are kept in."""
    return Vault(services.settings.derived_key("totp"))


def recovery_key(services: Services) -> bytes:
    """The key of the recovery codes' hashes."""
    return services.settings.derived_key("recovery")


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


def reauthentication_required() -> Problem:
    """403: the owner has to be asked again before this (decision 77)."""
    return forbidden("Prove again that it is you", rule="reauthentication_required")


def wrong_password() -> Problem:
    """422: the password given as proof is not the account's."""
    return unprocessable("The password is wrong", "invalid_credentials")
