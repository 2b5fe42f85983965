"""Identity providers: OpenID Connect ID tokens of Google, Microsoft Entra ID and Facebook (decisions 11 and 60).

A provider's keys are read by its discovery document, cached, and read again when a token names a key we do not know.
What is checked of a token is OpenID Connect Core 1.0, 3.1.3.7.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp
import orjson
from jose import jwk, jwt
from jose.exceptions import JOSEError

from handlers.partners.breaker import Breaker, PartnerUnavailable
from handlers.platform.clock import Clock

ProviderName = Literal["google", "microsoft", "facebook"]
Json = dict[str, Any]

TIMEOUT_SECONDS: Final = 5.0
MAX_BYTES: Final = 262_144
KEYS_KEPT: Final = timedelta(hours=1)
# A token with an unknown key makes us ask again, but no stranger makes us ask more often than this.
KEYS_AGAIN: Final = timedelta(seconds=30)
CLOCK_SKEW: Final = 60
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TENANT: Final = "{tenantid}"
_OPTIONS: Final = {
    "require_exp": True,
    "require_iat": True,
    "require_aud": True,
    "require_sub": True,
    "require_iss": True,
    "verify_at_hash": False,
    "verify_exp": False,  # by our clock, below
}


class IdentityRejected(Exception):
    """An ID token is not what it should be. The reason is for tests and logs; the caller learns only that."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that is set up. `issuer` may hold `{tenantid}`, which the token's `tid` fills (Entra ID)."""

    name: ProviderName
    client_id: str
    issuer: str
    discovery: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified ID token speaks of. `key` names the person at the provider for good."""

    key: str
    nonce: str
    email: str | None
    email_verified: bool
    name: str | None


def known_providers(google: str | None, microsoft: str | None, facebook: str | None) -> list[Provider]:
    """The providers whose client id is set."""
    entra = "https://login.microsoftonline.com"
    found = (
        ("google", google, "https://accounts.google.com", "https://accounts.google.com"),
        ("microsoft", microsoft, f"{entra}/{_TENANT}/v2.0", f"{entra}/common/v2.0"),
        ("facebook", facebook, "https://www.facebook.com", "https://www.facebook.com"),
    )
    path = "/.well-known/openid-configuration"
    return [Provider(name, client, issuer, base + path) for name, client, issuer, base in found if client]  # type: ignore[arg-type]  # `if client`: it is no None


class IdentityProviders:
    """Verifies ID tokens of the providers that are set up."""

    def __init__(self, providers: list[Provider], clock: Clock) -> None:
        self._providers = {provider.name: _Keyring(provider, clock) for provider in providers}
        self._clock = clock

    def __contains__(self, name: object) -> bool:
        return name in self._providers

    async def verify(self, name: ProviderName, token: str) -> Identity:
        """Who the token speaks of. Raises `IdentityRejected`, `PartnerUnavailable`; `KeyError` for one not set up."""
        keyring = self._providers[name]
        header = _header(token)
        key = await keyring.key(header["kid"])
        provider = keyring.provider
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=provider.client_id, options=dict(_OPTIONS))
        except (JOSEError, TypeError, ValueError) as error:
            # The library trips over claims of odd types.
            raise IdentityRejected(type(error).__name__) from None
        self._check(claims, provider)
        return _identity(claims, provider)

    async def close(self) -> None:
        """Closes the connections."""
        for keyring in self._providers.values():
            await keyring.close()

    def _check(self, claims: Json, provider: Provider) -> None:
        now = self._clock.now().timestamp()
        begin, end = claims["iat"], claims["exp"]
        timely = isinstance(begin, int) and isinstance(end, int) and begin <= now + CLOCK_SKEW and now < end
        if not timely:
            raise IdentityRejected("not its time")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != provider.client_id:
            raise IdentityRejected("made for somebody else")
        if claims["iss"] != provider.issuer.replace(_TENANT, _tenant(claims)):
            raise IdentityRejected("another issuer")
        if not isinstance(claims.get("nonce"), str):
            raise IdentityRejected("no nonce")


def _header(token: str) -> Json:
    """The header of a token, refused when it says anything but RS256 and the id of a key (RFC 8725, 3.1 and 3.10)."""
    try:
        header = jwt.get_unverified_header(token)
    except JOSEError:
        raise IdentityRejected("no token") from None
    if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise IdentityRejected("another algorithm, or no key id")
    if header.keys() & {"crit", "jku", "jwk", "x5u"}:
        raise IdentityRejected("a key brought along")
    return dict(header)


def _tenant(claims: Json) -> str:
    tenant = claims.get("tid")
    return tenant if isinstance(tenant, str) and _GUID.fullmatch(tenant) else "-"


def _identity(claims: Json, provider: Provider) -> Identity:
    subject: object = claims["sub"]
    issuer = claims["iss"]
    if provider.name == "microsoft":
        # `sub` differs by application; tenant and object id name the person (decision 60).
        subject, issuer = claims.get("oid"), _tenant(claims)
    if not isinstance(subject, str) or not subject:
        raise IdentityRejected("no subject")
    email, name = claims.get("email"), claims.get("name")
    return Identity(
        key=f"{provider.name}|{issuer}|{subject}",
        nonce=claims["nonce"],
        email=email if isinstance(email, str) else None,
        email_verified=_proves_email(claims, provider),
        name=name if isinstance(name, str) else None,
    )


def _proves_email(claims: Json, provider: Provider) -> bool:
    """Whether the provider says that it has proven the address. Entra ID does with `xms_edov` only, Facebook never."""
    claim = {"google": "email_verified", "microsoft": "xms_edov"}.get(provider.name, "")
    return claims.get(claim) is True


def _usable(keys: object) -> dict[str, Any]:
    """A provider's keys that are for us, by id. Others are passed over, broken ones too (RFC 7517, 5)."""
    found: dict[str, Any] = {}
    for key in keys if isinstance(keys, list) else []:
        if not isinstance(key, dict) or key.get("kty") != "RSA" or key.get("use", "sig") != "sig":
            continue
        if not all(isinstance(key.get(name), str) for name in ("kid", "n", "e")):
            continue
        with contextlib.suppress(JOSEError, TypeError, ValueError):
            found[key["kid"]] = jwk.construct(key, "RS256")
    return found


class _Keyring:
    """The keys of one provider."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self.provider = provider
        self._clock = clock
        self._breaker = Breaker(provider.name)
        self._session: aiohttp.ClientSession | None = None
        self._keys: Mapping[str, Any] = {}
        self._read_at: float | None = None

    async def key(self, kid: str) -> Any:
        """The key of this id. Raises `IdentityRejected` when the provider has none, `PartnerUnavailable`."""
        age = self._clock.now().timestamp() - (self._read_at or 0.0)
        too_old = self._read_at is None or age >= KEYS_KEPT.total_seconds() or age < 0
        if too_old or (kid not in self._keys and age >= KEYS_AGAIN.total_seconds()):
            self._keys = await self._breaker.call(self._read)
            self._read_at = self._clock.now().timestamp()
        if kid not in self._keys:
            raise IdentityRejected("an unknown key")
        return self._keys[kid]

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _read(self) -> Mapping[str, Any]:
        found = await self._get(self.provider.discovery)
        address = found.get("jwks_uri")
        if found.get("issuer") != self.provider.issuer or not isinstance(address, str):
            raise PartnerUnavailable(f"{self.provider.name}: not its discovery document")
        if urlsplit(address).scheme != urlsplit(self.provider.discovery).scheme:
            raise PartnerUnavailable(f"{self.provider.name}: keys at a lesser address")
        return _usable((await self._get(address)).get("keys"))

    async def _get(self, address: str) -> Json:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        try:
            async with self._session.get(address, allow_redirects=False) as answer:
                content = await answer.content.read(MAX_BYTES)
                found = orjson.loads(content) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            raise PartnerUnavailable(f"{self.provider.name}: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise PartnerUnavailable(f"{self.provider.name}: answered {answer.status}")
        return found
