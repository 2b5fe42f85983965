"""Access tokens of our own (plan, ADR-019; decision 11): signed, short-lived, verified without I/O.

Exactly one algorithm is accepted, the key is built once, and every claim we rely on must be there: python-jose accepts
a missing `aud` or an unknown `crit` unless told otherwise (facts/connexion.md).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from jose import jwt
from jose.exceptions import ExpiredSignatureError, JWTError

from generated.errors import ErrorRule
from handlers.platform.access import RANK, Principal
from handlers.platform.clock import Clock
from handlers.platform.keys import Keys

ISSUER: Final = "holiday-peak-hub"
AUDIENCE: Final = "holiday-peak-hub-api"
MAX_TOKEN_BYTES: Final = 4096
_CACHE_SIZE: Final = 10_000
_HEADERS: Final = frozenset({"alg", "kid", "typ"})
_OPTIONS: Final = {
    "require_exp": True,
    "require_iat": True,
    "require_aud": True,
    "require_sub": True,
    "require_iss": True,
    "verify_at_hash": False,
}


class TokenRejected(Exception):
    """An access token is not one of ours, or its time is over. `rule` says which."""

    def __init__(self, rule: ErrorRule) -> None:
        super().__init__(rule)
        self.rule: ErrorRule = rule


class Tokens:
    """Issues and verifies access tokens. Signed with one key; accepted from the keys of its algorithm, by key id."""

    def __init__(self, keys: Keys, lifetime: timedelta, clock: Clock) -> None:
        self.keys = keys
        self._headers = {"kid": keys.kid}
        self._clock = clock
        self.lifetime = lifetime
        # token -> (caller, end): a token is verified once per process, then only its time is looked at.
        self._verified: dict[str, tuple[Principal, float]] = {}

    def issue(self, principal: Principal, *, audience: str = AUDIENCE, lifetime: timedelta | None = None) -> str:
        """A signed token for the caller."""
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": audience,
            "sub": principal.id,
            "role": principal.role,
            "permissions": sorted(principal.permissions),
            "ver": principal.token_version,
            "iat": int(now.timestamp()),
            "exp": int((now + (lifetime or self.lifetime)).timestamp()),
        }
        if principal.email is not None:
            claims["email"] = principal.email
        if principal.session_id is not None:
            claims["sid"] = principal.session_id
        if principal.authenticated_at:
            claims["auth_time"] = principal.authenticated_at
        if principal.enrolment_required:
            claims["enrol"] = True
        return str(jwt.encode(claims, self.keys.signing, algorithm=self.keys.algorithm, headers=self._headers))

    def verify(self, token: str) -> Principal:
        """The caller of an access token. Raises `TokenRejected`."""
        known = self._verified.get(token)
        if known is not None:
            if known[1] <= self._clock.now().timestamp():
                raise TokenRejected("token_expired")
            return known[0]
        claims = self.claims(token)
        principal = _principal(claims)
        if len(self._verified) >= _CACHE_SIZE:
            self._verified.clear()
        self._verified[token] = (principal, float(claims["exp"]))
        return principal

    def claims(self, token: str, *, audience: str = AUDIENCE) -> Mapping[str, Any]:
        """The verified claims of a token for an audience. Raises `TokenRejected`."""
        key = self.keys.accepted.get(_key_id(token, self.keys.algorithm))
        if key is None:
            raise TokenRejected("token_invalid")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[self.keys.algorithm],
                audience=audience,
                issuer=ISSUER,
                options=dict(_OPTIONS),
            )
        except ExpiredSignatureError:
            raise TokenRejected("token_expired") from None
        except JWTError:
            raise TokenRejected("token_invalid") from None
        return _timely(claims, self._clock.now())


def _timely(claims: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    # python-jose reads the machine's clock; ours is asked too, so that tests may move it.
    if claims["exp"] <= now.timestamp():
        raise TokenRejected("token_expired")
    if claims["iat"] > now.timestamp() + 60:
        raise TokenRejected("token_invalid")
    return claims


def _key_id(token: str, algorithm: str) -> str:
    """The id of the key that a token says it is signed with.

    Refuses every header but the ones we write. The library would overlook other algorithms, `crit` and keys brought
    along (RFC 8725, 3.1 and 3.10), and a deeply nested value ends its parser with a `RecursionError`.
    """
    if len(token) > MAX_TOKEN_BYTES or token.count(".") != 2:
        raise TokenRejected("token_invalid")
    head = token.split(".", 1)[0]
    try:
        header = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        raise TokenRejected("token_invalid") from None
    if not isinstance(header, dict) or header.get("alg") != algorithm:
        raise TokenRejected("token_invalid")
    if not header.keys() <= _HEADERS or not all(isinstance(value, str) for value in header.values()):
        raise TokenRejected("token_invalid")
    return str(header.get("kid", ""))


def _principal(claims: Mapping[str, Any]) -> Principal:
    role = claims.get("role")
    permissions = claims.get("permissions")
    if role not in RANK or not isinstance(permissions, list) or not isinstance(claims["sub"], str):
        raise TokenRejected("token_invalid")
    return Principal(
        id=claims["sub"],
        role=role,
        permissions=frozenset(permissions),
        email=claims.get("email"),
        session_id=claims.get("sid"),
        token_version=int(claims.get("ver", 0)),
        authenticated_at=int(claims.get("auth_time", 0)),
        enrolment_required=claims.get("enrol") is True,
        credential="bearer",
    )
