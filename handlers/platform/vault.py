"""Small secrets at rest, such as TOTP seeds: AES-256-GCM with a key of this deployment (decision 55)."""

from __future__ import annotations

import base64
import binascii
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12


class Unreadable(Exception):
    """A sealed text was not made with this key, or not for this owner."""


class Vault:
    """Seals texts for an owner; what was sealed for another does not open."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, text: str, owner: str) -> str:
        """The sealed text, in base64. The same text is sealed differently each time."""
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), owner.encode())).decode("ascii")

    def open(self, sealed: str, owner: str) -> str:
        """The text. Raises `Unreadable`."""
        try:
            content = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(content[:_NONCE], content[_NONCE:], owner.encode()).decode()
        except (binascii.Error, InvalidTag, ValueError):
            raise Unreadable from None
