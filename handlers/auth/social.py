"""Signing in with an identity provider: nonce, ID token, account of that identity (decisions 11 and 60)."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from typing import Any, Final

from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.identity import Identity, IdentityRejected, ProviderName
from handlers.platform.email import normalised
from handlers.platform.errors import Problem, unauthorized, unavailable, unprocessable
from handlers.platform.ids import new_id
from handlers.platform.store.claims import ClaimTaken
from handlers.users import proofs, store
from handlers.users.rules import new_user

Json = dict[str, Any]

NONCE_LIFETIME: Final = timedelta(minutes=10)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]+")


async def new_nonce(services: Services, provider: ProviderName) -> str:
    """A nonce for one sign-in. Raises `Problem` 422 when the provider is not set up, `CacheUnavailable`."""
    check_configured(services, provider)
    nonce = f"n-{secrets.token_urlsafe(24)}"
    await services.cache.set(_key(provider, nonce), 1, ttl=NONCE_LIFETIME.total_seconds())
    return nonce


async def identity_of(call: Call, provider: ProviderName, token: str, nonce: str | None) -> Identity:
    """Who an ID token speaks of; its nonce is used up.

    Raises `Problem`: 401 for a token that is not what it should be, 422 for a provider that is not set up, 503.
    """
    services = call.services
    check_configured(services, provider)
    try:
        identity = await services.identity.verify(provider, token)
    except IdentityRejected:
        raise _rejected(call) from None
    except PartnerUnavailable as error:
        raise unavailable("The identity provider does not answer", retry_after=error.retry_after) from None
    if nonce is not None and nonce != identity.nonce:
        raise _rejected(call)
    if not await services.cache.delete(_key(provider, identity.nonce)):
        raise _rejected(call)
    return identity


async def account_of(call: Call, identity: Identity) -> Json:
    """The account of an identity, made at its first sign-in.

    Raises `Problem`: 422 when there is no address to make it with, 409 when the address is another account's: they are
    never joined by the address alone.
    """
    known = await store.by_identity(call.services.store, identity.key)
    if known is not None:
        return known.data
    try:
        return await _created(call, identity)
    except ClaimTaken:
        # Another tab was faster.
        known = await store.by_identity(call.services.store, identity.key)
        if known is None:
            raise unavailable("This account is being made") from None
        return known.data


async def _created(call: Call, identity: Identity) -> Json:
    services = call.services
    email = _address(identity)
    user = new_user(
        new_id("user"),
        email=email,
        name=_name(identity, email),
        email_verified=identity.email_verified,
        identities=[identity.key],
        currency=services.settings.shop_currency,
        now=services.clock.now(),
    )
    if identity.email_verified:
        return (await store.create_with_identity(call, user, identity.key)).data
    await proofs.prepare_verification(services, user)
    return (await store.create_with_identity(call, user, identity.key)).data


def check_configured(services: Services, provider: ProviderName) -> None:
    """Raises `Problem` 422 when the provider is not set up."""
    if provider not in services.identity:
        raise unprocessable("This shop has not set up that provider", "provider_not_configured")


def _address(identity: Identity) -> str:
    try:
        return normalised(identity.email or "")
    except ValueError:
        raise unprocessable("The identity has no e-mail address", "provider_email_missing") from None


def _name(identity: Identity, email: str) -> str:
    name = _UNPRINTABLE.sub(" ", identity.name or "").strip()[:120].strip()
    return name or email.partition("@")[0]


def _key(provider: ProviderName, nonce: str) -> str:
    return f"hph:nonce:{provider}:{hashlib.sha256(nonce.encode()).hexdigest()}"


def _rejected(call: Call) -> Problem:
    call.security_event("sign_in", "failure", principal="", reason="identity_token_invalid")
    return unauthorized("The provider's token was not accepted", rule="identity_token_invalid")
