"""Cross-origin requests (WHATWG Fetch, 3.2): which pages may call the API, and what they may see of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.types import Send

Header = tuple[bytes, bytes]

VARY: Final[Header] = (b"vary", b"Origin")
_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_ALLOWED: Final = (
    b"Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    b"X-CSRF-Token, X-Reauthentication, X-Request-Id, X-Session-State"
)
_EXPOSED: Final = (
    b"Allow, Content-Disposition, Deprecation, ETag, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    b"Retry-After, Sunset, X-Cache, X-Request-Id, X-Session-State"
)
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", _METHODS),
    (b"access-control-allow-headers", _ALLOWED),
    (b"access-control-max-age", b"600"),
]


class Cors:
    """The headers for each allowed origin, made once. The origin is echoed exactly, never `*`."""

    def __init__(self, origins: Iterable[str], *, credentials: bool) -> None:
        self._answer: dict[bytes, list[Header]] = {}
        for origin in origins:
            name = origin.encode("ascii")
            self._answer[name] = [
                (b"access-control-allow-origin", name),
                *([(b"access-control-allow-credentials", b"true")] if credentials else []),
                (b"access-control-expose-headers", _EXPOSED),
            ]

    def headers(self, origin: bytes) -> Sequence[Header]:
        """What an answer says to a page of this origin; nothing to a foreign one."""
        return self._answer.get(origin, ())

    async def preflight(self, send: Send, origin: bytes) -> None:
        """Answers a preflight: 204, with permission for an allowed origin and without it for any other.

        `send` adds what `headers` says to every answer.
        """
        headers = _PREFLIGHT if origin in self._answer else []
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body"})
