"""The HTTP transport under the SDK: nothing is ever sent twice without this program knowing it.

Three things would: aiohttp repeats a PUT or DELETE on a new connection when the old one was closed; azure-core reports
a connection lost after sending as "never sent", which the SDK then repeats; and the SDK repeats a write after a 503.
The first is switched off here, the second is told apart, and of the third each write keeps a note (`Flight`).
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any, Final

from aiohttp import ClientConnectorError, InvalidURL
from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, AsyncHttpTransport, HttpRequest

from handlers.platform.store.cosmos_diagnostics import Diagnostics

_NEVER_SENT: Final = (ClientConnectorError, InvalidURL)
_IS_QUERY: Final = "x-ms-documentdb-isquery"
_NOT_DONE: Final = frozenset({None, 429, 449, 410})


class Flight:
    """What happened to the write under way: whether it was sent again after an answer that does not exclude an effect.

    `last`: the status of the answer before, 0 for none at all, None when nothing was sent.
    """

    __slots__ = ("doubt", "last")

    def __init__(self) -> None:
        self.last: int | None = None
        self.doubt = False

    @property
    def in_the_air(self) -> bool:
        """Whether what was sent last may have had an effect that is not known here."""
        return self.last not in _NOT_DONE

    def sending(self) -> None:
        """Before each time."""
        self.doubt = self.doubt or self.in_the_air
        self.last = 0


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
    """Notes what happens to writes, and says of a lost connection whether the request may have arrived."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._diagnostics = Diagnostics()

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        """Sends one request."""
        under_way = None if request.method == "GET" or _IS_QUERY in request.headers else flight.get()
        if under_way is not None:
            under_way.sending()
        began = time.monotonic()
        try:
            response: AsyncHttpResponse = await self._inner.send(request, **options)
        except BaseException as error:
            self._diagnostics.lost(request, error, time.monotonic() - began)
            if not isinstance(error, ServiceRequestError):
                raise
            if not _never_sent(error):
                raise ServiceResponseError(f"the connection was lost: {error}") from error
            if under_way is not None:
                under_way.last = None
            raise
        self._diagnostics.answered(request, response, time.monotonic() - began)
        if under_way is not None:
            under_way.last = response.status_code
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


def _never_sent(error: ServiceRequestError) -> bool:
    return isinstance(error, ServiceRequestTimeoutError) or isinstance(error.inner_exception, _NEVER_SENT)
