"""The error envelope on the wire (plan, Appendix D): the one shape of every answer that is not a success."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import orjson
from starlette.types import Send

from handlers.platform.clock import timestamp
from handlers.platform.errors import Problem

Headers = Iterable[tuple[bytes, bytes]]


def problem_body(problem: Problem, request_id: str) -> bytes:
    """The envelope as JSON. Details that are not JSON become text, so that an error never fails on its own report."""
    error = {
        "code": problem.code,
        "message": problem.message,
        "details": problem.details,
        "timestamp": timestamp(datetime.now(UTC)),
        "request_id": request_id,
    }
    return orjson.dumps({"error": error}, default=str, option=orjson.OPT_NON_STR_KEYS)


async def send_problem(send: Send, problem: Problem, request_id: str, extra_headers: Headers = ()) -> None:
    """Answers a request with a problem: its status, its headers and `extra_headers`, and the envelope.

    Never kept by caches: without `no-store` a 404 may be kept by them as they like (RFC 9111, 4.2.2).
    """
    body = problem_body(problem, request_id)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *problem.headers,
        *extra_headers,
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
