"""HTTP as bytes on a socket: for requests that no client library would send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came over the wire. Header names are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def error(self) -> dict[str, Any]:
        """The error of an envelope, which has to be whole and to carry the request's id."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        assert set(error) == {"code", "message", "details", "timestamp", "request_id"}
        assert error["request_id"] == self.header("x-request-id")
        assert self.header("content-type") == "application/json"
        return error


async def exchange(base: str, request: bytes, *, heads: int = 0) -> list[Answer]:
    """Sends bytes and answers what comes back until the server closes. The first `heads` answers are without body."""
    address = urlsplit(base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(SECONDS):
            received = await reader.read(-1)
    finally:
        writer.close()
    return _answers(received, heads)


async def leave(base: str, request: bytes) -> None:
    """Sends bytes and closes the connection without waiting for an answer."""
    address = urlsplit(base)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def request(method: str, target: bytes | str, *headers: bytes, body: bytes = b"", close: bool = True) -> bytes:
    """A request of HTTP/1.1, byte by byte as it is told."""
    raw = target.encode() if isinstance(target, str) else target
    lines = [method.encode() + b" " + raw + b" HTTP/1.1", b"Host: shop", *headers]
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", b""]) + body


def _answers(received: bytes, heads: int) -> list[Answer]:
    found: list[Answer] = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
        size = 0 if len(found) < heads else int(dict(headers).get("content-length", len(rest)))
        found.append(Answer(int(status_line.split(" ")[1]), headers, rest[:size]))
        received = rest[size:]
    return found
