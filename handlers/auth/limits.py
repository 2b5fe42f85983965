"""Brute force: attempts are counted exactly, per account and per network, before a password is looked at (18)."""

from __future__ import annotations

from handlers.auth.rules import ACCOUNT_LIMIT, ADDRESS_LIMIT, MAIL_LIMIT
from handlers.contract.call import Call
from handlers.platform.errors import rate_limited
from handlers.platform.limits import network


async def attempt(call: Call, account: str) -> None:
    """Counts an attempt at an account, known by address or id and whether or not it exists.

    Raises `Problem` 429 when there were too many for it, or too many from the caller's network.
    """
    limits = call.services.limits
    for key, rule in (
        (f"sign-in:from:{network(call.request.address)}", ADDRESS_LIMIT),
        (f"sign-in:to:{account}", ACCOUNT_LIMIT),
    ):
        verdict = await limits.strict(key, rule)
        if verdict.retry_after is not None:
            raise rate_limited(verdict.retry_after)


async def forgive(call: Call, account: str) -> None:
    """Forgets the attempts at an account once its owner is in. Those from the network stay counted."""
    await call.services.limits.forgive(f"sign-in:to:{account}")


async def may_mail(call: Call, address: str) -> bool:
    """Whether one more mail that a stranger can cause may go to an address."""
    verdict = await call.services.limits.strict(f"mail:to:{address}", MAIL_LIMIT)
    return verdict.retry_after is None
