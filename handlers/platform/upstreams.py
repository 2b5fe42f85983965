"""The addresses of the service behind the gateway, and how many requests may be under way to it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from starlette.types import Scope
from yarl import URL

from handlers.platform.errors import Problem, unavailable
from handlers.platform.request import RequestInfo

# To one address. What waits longer for a place than the service could answer in is refused (handlers/platform/load.py).
MAX_UNDER_WAY: Final = 256
PLACE_SECONDS: Final = 0.3
# How long an address that refused a connection, or is about to end, is asked only when the others do so as well.
AVOID_SECONDS: Final = 1.0


class Upstream:
    """An address of the service, and when it last refused a connection or said that it wants no more on one."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._prefix = url.raw_path.rstrip("/")
        self.avoided_at = -AVOID_SECONDS

    def target(self, scope: Scope) -> URL:
        """The same path and query, byte for byte, at the service: never anything that could name another host."""
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        if not raw_path.startswith(b"/"):
            raise Problem("RESOURCE_NOT_FOUND", "Path not found")
        return URL.build(
            scheme=self._url.scheme,
            host=self._url.raw_host or "",
            port=self._url.port,
            path=self._prefix + raw_path.decode("latin-1"),
            query_string=scope["query_string"].decode("latin-1"),
            encoded=True,
        )


class Place:
    """A request's place among those under way. Raises `Problem` 503 when none becomes free soon enough.

    What has priority waits for none, and a stream leaves it: it lasts, and costs the service next to nothing.
    """

    def __init__(self, places: asyncio.Semaphore, info: RequestInfo) -> None:
        self._places = places
        self._priority = info.priority
        self._taken = False

    async def __aenter__(self) -> Place:
        if not self._priority:
            try:
                # A free place is taken without the price of a time-out.
                async with asyncio.timeout(PLACE_SECONDS) if self._places.locked() else contextlib.nullcontext():
                    await self._places.acquire()
            except TimeoutError:
                raise unavailable("Too much load, try again", retry_after=1) from None
            self._taken = True
        return self

    def leave(self) -> None:
        """Gives the place to another."""
        if self._taken:
            self._taken = False
            self._places.release()

    async def __aexit__(self, *_: object) -> None:
        self.leave()
