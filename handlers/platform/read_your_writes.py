"""Whoever writes reads its writes at every process: the session tokens of the store travel with the caller.

A response to a request that wrote something carries them, signed and for ten seconds, as a cookie for browsers and as
the header `X-Session-State` for clients that keep no cookies and send it back. A process that gets them hands them to
its store, which then reads from no replica that is behind. It costs a request without them a look at its headers, and
nothing where the store is embedded: there is one copy of everything. Nothing is kept in Redis, which every request
would have to ask.

They are signed, for a number from elsewhere that no replica ever reaches would make every read of a process wait.
"""

from __future__ import annotations

import base64
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, Protocol, runtime_checkable

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.platform.cookies import STATE, cookie_name
from handlers.platform.store import session_tokens
from handlers.platform.store.session_tokens import Seen

log = logging.getLogger(__name__)

HEADER: Final = b"x-session-state"
SECONDS: Final = 10  # a replica that is further behind is out of order
MOST: Final = 2_000  # bytes; what is larger is neither sent nor read
_SIGNATURE: Final = 16  # bytes


@runtime_checkable
class CatchesUp(Protocol):
    """A store that can be told what a caller has seen."""

    def catch_up(self, seen: Mapping[str, str]) -> None:
        """Reads from now on show at least what these tokens, by container, stand for."""
        ...


class ReadYourWrites:
    """ASGI middleware. `key` signs, and is the same in every process."""

    def __init__(
        self, app: ASGIApp, store: CatchesUp, key: bytes, *, secure: bool, now: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._store = store
        self._key = key
        self._cookie = cookie_name(STATE, secure=secure).encode() + b"="
        self._attributes = f"; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        before = self._given(scope)
        if before:
            self._store.catch_up(before)
        seen = session_tokens.begin()

        async def sending(message: Message) -> None:
            if seen and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._headers(before, seen)]}
            await send(message)

        await self._app(scope, receive, sending)

    def seal(self, seen: Mapping[str, str]) -> str:
        """The tokens as they travel."""
        body = orjson.dumps([int(self._now()) + SECONDS, seen])
        return base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")

    def open(self, sealed: bytes) -> Seen:
        """The tokens of a caller; none when they are too old, too long, or not ours."""
        if not sealed or len(sealed) > MOST:
            return {}
        try:
            raw = base64.urlsafe_b64decode(sealed + b"=" * (-len(sealed) % 4))
        except ValueError:
            return {}
        signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(body)):
            return {}
        ends, seen = orjson.loads(body)
        return seen if ends >= self._now() else {}

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, sha256)[:_SIGNATURE]

    def _given(self, scope: Scope) -> Seen:
        found: Seen = {}
        for name, value in scope["headers"]:
            if name == HEADER:
                sealed = value
            elif name == b"cookie" and self._cookie in value:
                pairs = (pair.strip() for pair in value.split(b";"))
                sealed = next((pair.removeprefix(self._cookie) for pair in pairs if pair.startswith(self._cookie)), b"")
            else:
                continue
            for container, tokens in self.open(sealed).items():
                session_tokens.add(found, container, tokens)
        return found

    def _headers(self, before: Mapping[str, str], seen: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """What was written now and shortly before; only the former when it would be too much."""
        both = dict(before)
        for container, tokens in seen.items():
            session_tokens.add(both, container, tokens)
        sealed = self.seal(both)
        if len(sealed) > MOST:
            sealed = self.seal(seen)
        if len(sealed) > MOST:
            log.warning("the session tokens of a request are too long to travel: %d bytes", len(sealed))
            return []
        cookie = self._cookie + sealed.encode("ascii") + self._attributes.encode("ascii")
        return [(HEADER, sealed.encode("ascii")), (b"set-cookie", cookie)]
