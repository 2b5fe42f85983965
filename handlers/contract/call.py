"""What a handler knows about the request besides its parameters and body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from handlers.platform.access import Principal
from handlers.platform.request import RequestInfo

if TYPE_CHECKING:
    from handlers.contract.services import Services

RawHeaders = Iterable[tuple[bytes, bytes]]


class Call:
    """One call of an operation: who calls, with what around it, and the services to answer it with."""

    __slots__ = ("_cookies", "body_bytes", "headers", "principal", "request", "services")

    def __init__(self, services: Services, principal: Principal, request: RequestInfo, headers: RawHeaders) -> None:
        self.services = services
        self.principal = principal
        self.request = request
        self.headers = headers
        self.body_bytes = b""
        self._cookies: dict[str, str] | None = None

    @property
    def request_id(self) -> str:
        """The id of the request; events carry it as their `correlation_id`."""
        return self.request.request_id

    def header(self, name: bytes) -> str | None:
        """The first header of this lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

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
