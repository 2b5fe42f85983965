"""What a handler knows about the request besides its parameters and body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from handlers.platform.access import Principal
from handlers.platform.cookies import cookie_name
from handlers.platform.idempotency import Key, KeyedRequests, Once, Partition
from handlers.platform.request import RequestInfo
from handlers.platform.security_events import Outcome, SecurityEvent, SecurityEvents

if TYPE_CHECKING:
    from handlers.contract.services import Services

RawHeaders = Iterable[tuple[bytes, bytes]]


class Call:
    """One call of an operation: who calls, with what around it, and the services to answer it with."""

    __slots__ = ("_cookies", "_once", "body_bytes", "headers", "key", "principal", "request", "services", "status")

    def __init__(self, services: Services, principal: Principal, request: RequestInfo, headers: RawHeaders) -> None:
        self.services = services
        self.principal = principal
        self.request = request
        self.headers = headers
        self.body_bytes = b""
        self.key: Key | None = None
        self.status = 200
        self._cookies: dict[str, str] | None = None
        self._once: Once | None = None

    def security_event(
        self, event: SecurityEvent, outcome: Outcome = "success", *, principal: str | None = None, reason: str = ""
    ) -> None:
        """Writes a security event of this request, about the caller unless another `principal` is given."""
        events = self.services.room(SecurityEvents)
        events.record(event, outcome, self.request, self.principal.id if principal is None else principal, reason)

    @property
    def request_id(self) -> str:
        """The id of the request; events carry it as their `correlation_id`."""
        return self.request.request_id

    async def once(self, container: str, partition: Partition) -> Once:
        """Begins the effect of an `x-idempotent` operation in the partition that it will change.

        Put `(await call.once(...)).remember(answer)` into the batch of the effect. Does not return when the request was
        answered before (`handlers.platform.idempotency`); without an `Idempotency-Key` it has no effect.
        """
        requests = self.services.room(KeyedRequests)
        self._once = await requests.begin(container, partition, key=self.key, status=self.status)
        return self._once

    async def forget(self, *, unless_remembered: bool = False) -> None:
        """For the runtime: the handler is done, so its key is free again unless the effect was written."""
        if self._once is None:
            return
        if unless_remembered and self._once.remembered:
            self._once.end()
        else:
            await self._once.release()

    def header(self, name: bytes) -> str | None:
        """The first header of this lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def session_cookie(self, name: str) -> str | None:
        """One of our own cookies, under the name it has where this runs; None when it is absent or empty."""
        return self.cookies.get(cookie_name(name, secure=self.services.settings.in_production)) or None

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of the request; the first of a name wins, odd ones are passed over."""
        if self._cookies is None:
            self._cookies = parse_cookies(self.headers)
        return self._cookies


def parse_cookies(headers: RawHeaders) -> dict[str, str]:
    """Cookies by name (RFC 6265, 5.4). One that does not parse costs no other its place."""
    cookies: dict[str, str] = {}
    for key, value in headers:
        if key != b"cookie":
            continue
        for pair in value.decode("latin-1").split(";"):
            name, equals, text = pair.strip().partition("=")
            if equals and name:
                cookies.setdefault(name, text.strip('"'))
    return cookies
