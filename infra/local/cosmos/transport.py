"""The stand-in in the client's own process, as the SDK's `transport=`."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport, HttpRequest
from azure.core.utils import CaseInsensitiveDict

from infra.local.cosmos.faults import AnswerLost
from infra.local.cosmos.server import Server
from infra.local.cosmos.wire import Request, Response

_OPTIONS: Final = frozenset({"stream", "proxies", "connection_timeout", "read_timeout", "connection_verify"})


class InProcessResponse(AsyncHttpResponse):
    """An answer as the SDK's pipeline reads it."""

    def __init__(self, request: HttpRequest, response: Response) -> None:
        super().__init__(request, None)
        self.status_code = response.status
        self.headers = CaseInsensitiveDict(response.headers)
        self.reason = ""
        self.content_type = response.headers.get("content-type", "application/json")
        self._body = response.body

    def body(self) -> bytes:
        """All of it."""
        return self._body

    async def load_body(self) -> None:
        """It is there."""


class InProcessTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Hands requests to a server in this process. A caller that gives up does not stop what the server is doing."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._busy: set[asyncio.Task[Response]] = set()

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        """Answers one request, after others have had their turn, as with a network."""
        if unknown := options.keys() - _OPTIONS:
            raise TypeError(f"the network's transport takes no {sorted(unknown)}")
        await asyncio.sleep(0)
        try:
            response = await self._handle(request_of(request))
        except AnswerLost as lost:
            raise ServiceResponseError(f"the answer was lost: {lost}") from lost
        return InProcessResponse(request, response)

    async def _handle(self, request: Request) -> Response:
        if not self._server.faults.pending and not self._server.pace.latency:
            return await self._server.handle(request)
        task = asyncio.create_task(self._server.handle(request))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        return await asyncio.shield(task)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Waits for what is still being done."""
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def __aenter__(self) -> InProcessTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def request_of(request: HttpRequest) -> Request:
    """The SDK's request as the server takes it."""
    data: Any = request.data or b""
    body = data if isinstance(data, bytes) else str(data).encode()
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    return Request(request.method.upper(), urlsplit(request.url).path, headers, body)
