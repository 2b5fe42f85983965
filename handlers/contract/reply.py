"""What a handler answers with when the body alone does not say it all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")
Header = tuple[bytes, bytes]

JSON = b"application/json"


class Reply(Generic[T]):
    """An answer with a status, headers or a body that is ready as bytes.

    `body` is serialised by the runtime. The other forms are made by `raw`, `file` and `stream`. `changes_at` is when
    an answer that is kept (`x-cache`) will be wrong although nothing was written, such as at the end of a banner.
    """

    __slots__ = ("body", "changes_at", "content", "content_type", "headers", "status", "stream")

    def __init__(
        self, body: T, *, status: int | None = None, etag: str | None = None, headers: Sequence[Header] = ()
    ) -> None:
        self.body = body
        self.status = status
        self.headers: list[Header] = list(headers)
        self.content: bytes | None = None
        self.content_type = JSON
        self.stream: AsyncIterator[bytes] | None = None
        self.changes_at: datetime | None = None
        if etag is not None:
            self.headers.append((b"etag", quoted(etag)))

    @classmethod
    def raw(
        cls, content: bytes, _view: type[T], *, etag: str | None = None, headers: Sequence[Header] = ()
    ) -> Reply[T]:
        """JSON that is ready, such as a document stored as published. `_view`, for types, is what it conforms to."""
        reply: Reply[T] = cls(None, etag=etag, headers=headers)  # type: ignore[arg-type]  # the content stands for it
        reply.content = content
        return reply

    @classmethod
    def file(cls, content: bytes, content_type: str, filename: str) -> Reply[T]:
        """A file to save. `filename` is ours, ASCII, without quotes."""
        reply: Reply[T] = cls(None)  # type: ignore[arg-type]  # the content stands for it
        reply.content = content
        reply.content_type = content_type.encode("ascii")
        reply.headers.append((b"content-disposition", f'attachment; filename="{filename}"'.encode("ascii")))
        return reply

    @classmethod
    def text(cls, content: bytes, content_type: str) -> Reply[T]:
        """A body that is no JSON, shown as it is."""
        reply: Reply[T] = cls(None)  # type: ignore[arg-type]  # the content stands for it
        reply.content = content
        reply.content_type = content_type.encode("ascii")
        return reply

    @classmethod
    def events(cls, events: AsyncIterator[bytes]) -> Reply[T]:
        """Server-sent events; each item is a whole encoded event (WHATWG HTML, 9.2)."""
        reply: Reply[T] = cls(None)  # type: ignore[arg-type]  # the stream stands for it
        reply.stream = events
        reply.content_type = b"text/event-stream"
        # Proxies in front shall not collect events before they pass them on.
        reply.headers.append((b"x-accel-buffering", b"no"))
        return reply


def quoted(etag: str) -> bytes:
    """An entity tag as the header says it (RFC 9110, 8.8.3)."""
    return f'"{etag}"'.encode("ascii")
