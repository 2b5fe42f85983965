"""The second step of a login: a challenge, five tries, one use (decisions 15 and 55)."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from generated.errors import ErrorRule
from handlers.auth import rules
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.attempts import attempt, forgive
from handlers.platform.errors import Problem, unauthorized
from handlers.platform.store.port import Document
from handlers.platform.tokens import TokenRejected
from handlers.users import store
from handlers.users.credentials import TOTP_DIGITS, with_code_used
from handlers.users.rules import two_factor_on
from handlers.users.tell_owner import telling

Json = dict[str, Any]

_USED_UP: Final = 1000


def challenge(services: Services, user: Json) -> str:
    """A challenge for a user who has shown the password."""
    principal = rules.challenge_principal(user, uuid4().hex)
    return services.tokens.issue(principal, audience=rules.MFA_AUDIENCE, lifetime=rules.MFA_LIFETIME)


async def answered(call: Call, token: str, code: str) -> Document:
    """The account behind a challenge that a code has answered; code and challenge are used up.

    Every try counts before its code is looked at, so that tries in parallel are not more than tries in a row. Raises
    `Problem` 401; 429 for too many tries at one account over all challenges; `CacheUnavailable`: fail closed.
    """
    services = call.services
    claims = _claims(services, token)
    user_id, key = claims["sub"], f"hph:mfa:{claims['sid']}"
    tries = await services.cache.incr(key, ttl=rules.MFA_LIFETIME.total_seconds())
    if tries > rules.MFA_TRIES:
        raise _refused("The challenge is over", "mfa_attempts_exceeded")
    await attempt(services.limits, call.request.address, f"mfa:{user_id}")
    last = tries == rules.MFA_TRIES

    def decide(user: Json) -> Any:
        if user["token_version"] != claims["ver"] or not two_factor_on(user):
            raise _refused("The challenge is over", "token_invalid")
        change = with_code_used(services, user, code)
        if change is None:
            raise _wrong(last=last)
        return change if len(code) == TOTP_DIGITS else telling(change, "recovery_code_used", may=user["email_verified"])

    try:
        found = await store.change(call, user_id, decide)
    except Problem as problem:
        call.security_event("second_factor", "failure", principal=user_id, reason=problem.rule or "")
        raise
    await services.cache.incr(key, ttl=rules.MFA_LIFETIME.total_seconds(), by=_USED_UP)
    await forgive(services.limits, f"mfa:{user_id}")
    return found


def _claims(services: Services, token: str) -> Any:
    try:
        return services.tokens.claims(token, audience=rules.MFA_AUDIENCE)
    except TokenRejected as rejected:
        raise _refused("The challenge is not valid, or too old", rejected.rule) from None


def _wrong(*, last: bool) -> Problem:
    return _refused("The code is wrong", "mfa_attempts_exceeded" if last else "mfa_code_invalid")


def _refused(message: str, rule: ErrorRule) -> Problem:
    return unauthorized(message, rule=rule)
