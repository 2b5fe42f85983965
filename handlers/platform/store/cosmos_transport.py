"""The HTTP transport under the SDK: nothing is ever sent twice without this program knowing it.

Three things would: aiohttp repeats a PUT or DELETE on a new connection when the old one was closed; azure-core reports
a connection lost after sending as "never sent", which the SDK then repeats; and the SDK repeats a write after a 503.
The first is switched off here, the second is told apart, and it is counted how often each write was sent.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from aiohttp import ClientConnectorError, InvalidURL
from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, AsyncHttpTransport, HttpRequest

_NEVER_SENT: Final = (ClientConnectorError, InvalidURL)
_PLANS: Final = ("x-ms-documentdb-isquery", "x-ms-cosmos-is-query-plan-request")


class Flight:
    """How often the write under way was sent."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = 0


flight: ContextVar[Flight | None] = ContextVar("cosmos_flight", default=None)


class TunedTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """aiohttp without look-ups of proxies and .netrc at every call, and without repeats of its own."""

    def __init__(self) -> None:
        super().__init__(use_env_settings=False)

    async def open(self) -> None:
        """Makes the session at the first call."""
        await super().open()
        if self.session is not None:
            self.session._retry_connection = False


class CountingTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Counts writes, and says of a lost connection whether the request may have arrived."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        """Sends one request."""
        if request.method != "GET" and (counted := flight.get()) is not None:
            counted.sent += not any(name in request.headers for name in _PLANS)
        try:
            response: AsyncHttpResponse = await self._inner.send(request, **options)
        except ServiceRequestTimeoutError:
            raise
        except ServiceRequestError as error:
            if isinstance(error.inner_exception, _NEVER_SENT):
                raise
            raise ServiceResponseError(f"the connection was lost: {error}") from error
        return response

    async def open(self) -> None:
        """Opens what it wraps."""
        await self._inner.open()

    async def close(self) -> None:
        """Closes what it wraps."""
        await self._inner.close()

    async def __aenter__(self) -> CountingTransport:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self._inner.__aexit__(*details)
