"""Brute force: attempts are counted exactly, per account and per network, before a password is looked at (18)."""

from __future__ import annotations

from typing import Final

from handlers.platform.errors import rate_limited
from handlers.platform.limits import LimitRule, Limits, Verdict, network

# Attempts at one account from one network: ten at once, then one a minute. From one network at all accounts (IPv6: one
# /64) more: offices share one. At one account from everywhere far more, for strangers can use that up too; NIST SP
# 800-63B-4, 3.2.2 allows no more than a hundred failures in a row.
ACCOUNT_LIMIT: Final = LimitRule(per_minute=1, burst=10)
ADDRESS_LIMIT: Final = LimitRule(per_minute=20, burst=50)
WIDE_ACCOUNT_LIMIT: Final = LimitRule(per_minute=1, burst=100)
# Mails that strangers may cause to one address: three at once, then one every ten minutes.
MAIL_LIMIT: Final = LimitRule(per_minute=0.1, burst=3)


async def sign_in_attempt(limits: Limits, from_address: str, account: str, device: str | None) -> None:
    """Counts an attempt to sign in to an account, known by its address and whether or not it exists.

    A `device` that was signed in to it lately has a limit of its own, and strangers use up none of it. Raises `Problem`
    429 when there were too many, `CacheUnavailable` where they cannot be counted: fail closed (decision 19).
    """
    if device is not None:
        await _count(limits, f"sign-in:device:{device}", ACCOUNT_LIMIT)
        return
    near = network(from_address)
    await _count(limits, f"sign-in:from:{near}", ADDRESS_LIMIT)
    await _count(limits, f"sign-in:to:{account}|{near}", ACCOUNT_LIMIT)
    # Last: what the narrower limits refuse does not use this one up.
    await _count(limits, f"sign-in:wide:{account}", WIDE_ACCOUNT_LIMIT)


async def forgive_sign_in(limits: Limits, from_address: str, account: str, device: str | None = None) -> None:
    """Forgets the attempts at an account once its owner is in. Those from the network stay counted."""
    await limits.forgive(f"sign-in:to:{account}|{network(from_address)}")
    await limits.forgive(f"sign-in:wide:{account}")
    if device is not None:
        await limits.forgive(f"sign-in:device:{device}")


async def attempt(limits: Limits, from_address: str, account: str) -> None:
    """Counts an attempt that only who holds a token of the account (or its password) can make; known by its id.

    Raises `Problem` 429 when there were too many for it from anywhere, or too many from the caller's network;
    `CacheUnavailable` where they cannot be counted.
    """
    await _count(limits, f"sign-in:from:{network(from_address)}", ADDRESS_LIMIT)
    await _count(limits, f"sign-in:to:{account}", ACCOUNT_LIMIT)


async def forgive(limits: Limits, account: str) -> None:
    """Forgets the attempts of `attempt` once they have led to the right answer."""
    await limits.forgive(f"sign-in:to:{account}")


async def _count(limits: Limits, key: str, rule: LimitRule) -> None:
    verdict = await limits.strict(key, rule, shared_only=True)
    if verdict.retry_after is not None:
        raise rate_limited(verdict.retry_after)


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
