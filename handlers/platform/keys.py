"""Keys of the access tokens: one that signs, and those that are accepted, all of one algorithm (decision 11).

Changing a key without ending anyone's session:
  RS256  add the next public key to JWT_OTHER_PUBLIC_KEYS everywhere and wait for the cache time of the JWKS; make it
         JWT_PRIVATE_KEY and put the last one's public key there; remove that after an access token's life.
  HS256  make the new secret JWT_SECRET and the last one JWT_PREVIOUS_SECRET; remove that after an access token's life.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jose import jwk

_PEM: Final = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public RSA key as RFC 7517 writes it: modulus and exponent in base64url."""

    kid: str
    n: str
    e: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one algorithm. `accepted` is by key id, the signing key among them."""

    algorithm: str
    kid: str
    signing: Any
    accepted: Mapping[str, Any]
    public: tuple[PublicKey, ...] = ()


def shared_secret(secret: str, previous: str | None = None) -> Keys:
    """HS256: the secret signs; tokens of the previous one are still accepted."""
    known = {_secret_id(text): jwk.construct(text, "HS256") for text in (secret, previous) if text}
    kid = _secret_id(secret)
    return Keys("HS256", kid, known[kid], known)


def key_pair(private_pem: str, others_pem: str | None = None) -> Keys:
    """RS256: the private key signs; tokens of the other public keys (PEM, one after the other) are accepted too."""
    private = load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("an RSA key is needed")
    own = private.public_key()
    publics = {_thumbprint(key): key for key in (own, *public_keys(others_pem or ""))}
    accepted = {kid: jwk.construct(_pem(key), "RS256") for kid, key in publics.items()}
    shown = tuple(PublicKey(kid, *_numbers(key)) for kid, key in publics.items())
    return Keys("RS256", _thumbprint(own), jwk.construct(private_pem, "RS256"), accepted, shown)


def public_keys(pems: str) -> Iterable[RSAPublicKey]:
    """The keys in a text of PEM blocks. Raises `ValueError` or `TypeError` for one that is no RSA key of 2048 bits."""
    for pem in _PEM.findall(pems):
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
            raise TypeError("RSA keys of at least 2048 bits are needed")
        yield key


def _pem(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _numbers(key: RSAPublicKey) -> tuple[str, str]:
    numbers = key.public_numbers()
    return _base64(numbers.n), _base64(numbers.e)


def _thumbprint(key: RSAPublicKey) -> str:
    """The key's id: its SHA-256 thumbprint (RFC 7638), so that every process names it alike."""
    n, e = _numbers(key)
    canonical = json.dumps({"e": e, "kty": "RSA", "n": n}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode("ascii")


def _base64(number: int) -> str:
    content = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _secret_id(secret: str) -> str:
    return hmac.new(secret.encode(), b"key id", hashlib.sha256).hexdigest()[:16]
