"""The error envelope on the wire."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from handlers.platform.envelope import problem_body, send_problem
from handlers.platform.errors import Problem, not_found, rate_limited


async def test_an_answer_has_status_headers_and_envelope() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await send_problem(send, rate_limited(7), "req-12345678", [(b"x-more", b"1")])
    start, body = sent
    assert start["status"] == 429
    headers = dict(start["headers"])
    assert headers[b"retry-after"] == b"7"
    assert headers[b"x-more"] == b"1"
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"cache-control"] == b"no-store"


def test_the_envelope_is_the_plans() -> None:
    error = orjson.loads(problem_body(not_found("User", user_id="user-1"), "req-12345678"))["error"]
    timestamp = error.pop("timestamp")
    assert error == {
        "code": "RESOURCE_NOT_FOUND",
        "message": "User not found",
        "details": {"user_id": "user-1"},
        "request_id": "req-12345678",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)


def test_details_that_are_no_json_become_text() -> None:
    problem = Problem("CONFLICT", "Collides", details={"path": Path("a"), "by_number": {1: {2}}})
    details = orjson.loads(problem_body(problem, "req-12345678"))["error"]["details"]
    assert details == {"path": "a", "by_number": {"1": "{2}"}}
