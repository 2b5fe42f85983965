"""Opaque, signed cursors: a keyset position that only goes on in the list it came from (decision 6).

A cursor is base64url of `[position, fingerprint]` in JSON and 16 bytes of HMAC-SHA256 before it. Signed, so that nobody
asks for positions of his own making; with the fingerprint of container, partition, filters and order, so that a cursor
of one list is no cursor of another. Nothing in it is secret: the position holds values of the last document shown.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import replace
from typing import Final

import orjson

from handlers.platform.errors import fault, invalid
from handlers.platform.store.port import Page, Query, Scalar

_SIGNATURE: Final = 16
_FINGERPRINT: Final = 12
MAX_CURSOR: Final = 2048


class Cursors:
    """Makes and reads cursors with a key of this deployment (32 bytes; the same for all processes)."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the cursor key is too short: 16 bytes at least")
        self._key = key

    def next(self, query: Query, page: Page) -> str | None:
        """The cursor behind a page; None when the page was the last."""
        return None if page.next is None else self.seal(page.next, fingerprint(query))

    def apply(self, query: Query, cursor: str | None) -> Query:
        """The query, going on at the cursor. Raises 400 when the cursor is not one of this list."""
        return query if cursor is None else replace(query, after=self.open(cursor, fingerprint(query)), offset=0)

    def seal(self, position: tuple[Scalar, ...], list_fingerprint: str) -> str:
        """A cursor for a position in the list with this fingerprint."""
        payload = orjson.dumps([position, list_fingerprint])
        return base64.urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def open(self, cursor: str, list_fingerprint: str) -> tuple[Scalar, ...]:
        """The position in a cursor. Raises 400 when it was not made here, or for another list."""
        payload = self._payload(cursor)
        if payload is None:
            raise invalid([fault("query", "cursor", "is not a cursor of this service")])
        position, of_list = orjson.loads(payload)
        if of_list != list_fingerprint:
            raise invalid([fault("query", "cursor", "belongs to a list with other filters or another order")])
        return tuple(position)

    def _payload(self, cursor: str) -> bytes | None:
        """The signed part, None when the signature is not ours."""
        if len(cursor) > MAX_CURSOR or not cursor.isascii():
            return None
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        signature, payload = sealed[:_SIGNATURE], sealed[_SIGNATURE:]
        return payload if hmac.compare_digest(signature, self._sign(payload)) else None

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_SIGNATURE]


def fingerprint(query: Query) -> str:
    """What makes two queries the same list: container, partition, kind, filters and order; not the page's size."""
    parts = (query.container, query.partition, query.kind, query.where, query.sort)
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return base64.urlsafe_b64encode(digest[:_FINGERPRINT]).decode()
