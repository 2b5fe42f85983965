"""Answers on their way out: JSON, text, files, no content, and streams that end when the client leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from starlette.types import Receive, Send

from handlers.contract.reply import JSON, Header, Reply

Check = Callable[[int, bytes, bytes], None]


async def send_answer(
    receive: Receive, send: Send, answer: Any, status: int, headers: list[Header], *, head: bool, check: Check | None
) -> None:
    """Sends what a handler answered: a `Reply`, or a body for the operation's own `status`.

    Raises `AnswerMismatch` of `check`, and whatever serialising raises, before anything is sent.
    """
    content: bytes | None = None
    content_type = JSON
    if isinstance(answer, Reply):
        headers.extend(answer.headers)
        status = answer.status or status
        content_type = answer.content_type
        if answer.stream is not None:
            if check is not None:
                check(status, content_type, b"")
            headers.append((b"content-type", content_type))
            await _send_stream(receive, send, answer.stream, status, headers, head=head)
            return
        content = answer.content
        answer = answer.body
    if status == 204:
        if check is not None:
            check(status, b"", b"")
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})
        return
    if content is None:
        content = orjson.dumps(answer)
    if check is not None:
        check(status, content_type, content)
    headers.append((b"content-type", content_type))
    headers.append((b"content-length", b"%d" % len(content)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else content})


async def _send_stream(
    receive: Receive, send: Send, stream: AsyncIterator[bytes], status: int, headers: list[Header], *, head: bool
) -> None:
    """Sends a stream until it ends or the client leaves; either way the generator behind it is closed."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    tasks = [] if head else [asyncio.ensure_future(_pump(send, stream)), asyncio.ensure_future(_client_gone(receive))]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body"})


async def _pump(send: Send, stream: AsyncIterator[bytes]) -> None:
    async for chunk in stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
