"""Brute force: attempts are counted exactly, per account and per network, before a password is looked at (18)."""

from __future__ import annotations

from typing import Final

from handlers.platform.errors import rate_limited
from handlers.platform.limits import LimitRule, Limits, Verdict, network

# Attempts at one account: ten at once, then one a minute. From one address (IPv6: one /64) more: offices share one.
ACCOUNT_LIMIT: Final = LimitRule(per_minute=1, burst=10)
ADDRESS_LIMIT: Final = LimitRule(per_minute=20, burst=50)
# Mails that strangers may cause to one address: three at once, then one every ten minutes.
MAIL_LIMIT: Final = LimitRule(per_minute=0.1, burst=3)


async def attempt(limits: Limits, from_address: str, account: str) -> None:
    """Counts an attempt at an account, known by address or id and whether or not it exists.

    Raises `Problem` 429 when there were too many for it, or too many from the caller's network.
    """
    for key, rule in (
        (f"sign-in:from:{network(from_address)}", ADDRESS_LIMIT),
        (f"sign-in:to:{account}", ACCOUNT_LIMIT),
    ):
        verdict = await limits.strict(key, rule)
        if verdict.retry_after is not None:
            raise rate_limited(verdict.retry_after)


async def forgive(limits: Limits, account: str) -> None:
    """Forgets the attempts at an account once its owner is in. Those from the network stay counted."""
    await limits.forgive(f"sign-in:to:{account}")


async def may_mail(limits: Limits, address: str) -> bool:
    """Whether one more mail that a stranger can cause may go to an address."""
    return (await _mail(limits, address)).retry_after is None


async def claim_mail(limits: Limits, address: str) -> None:
    """Counts a mail that a stranger can cause. Raises `Problem` 429 when the address has had too many."""
    verdict = await _mail(limits, address)
    if verdict.retry_after is not None:
        raise rate_limited(verdict.retry_after)


async def _mail(limits: Limits, address: str) -> Verdict:
    return await limits.strict(f"mail:to:{address}", MAIL_LIMIT)
