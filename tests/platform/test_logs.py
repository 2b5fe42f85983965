"""Logs: one JSON object a line, nothing private in it, and never in the way."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, ValidationError

from handlers.platform.logs import (
    MAX_TEXT,
    JsonFormatter,
    LineWriter,
    Stamp,
    configure_logging,
    exception_text,
    redact,
    redact_text,
    standard_output,
)
from handlers.platform.telemetry import Telemetry
from tests.support.wait import eventually

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJl"


class Pipe:
    """A pipe whose reading end the test holds."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self._content = b""

    def lines(self) -> list[bytes]:
        """The whole lines that arrived so far."""
        while True:
            try:
                self._content += os.read(self.reading, 1 << 20)
            except BlockingIOError:
                return self._content.split(b"\n")[:-1]

    def close(self) -> None:
        """Closes both ends."""
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe to log into."""
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    """Puts the root logger back as pytest had it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.getLogger("uvicorn.access").disabled = False


def formatted(message: str, *args: object, exc_info: Any = None, **extra: Any) -> dict[str, Any]:
    """A record as its line says it."""
    record = logging.getLogger("orders").makeRecord(
        "orders", logging.INFO, "file", 1, message, args, exc_info, extra=extra
    )
    line: dict[str, Any] = orjson.loads(JsonFormatter().format(record))
    return line


def test_a_line_has_time_level_logger_message_and_extras() -> None:
    line = formatted("order %s created", "order-1", request_id="req-12345678", items=3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info",
        "logger": "orders",
        "message": "order order-1 created",
        "request_id": "req-12345678",
        "items": 3,
    }


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("mail to ann.smith+shop@example.com bounced", "ann.smith"),
        (f"refused {TOKEN}", "eyJ"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("got password=hunter2&next=/", "hunter2"),
        ('{"new_password": "hunter2"}', "hunter2"),
        ("refresh_token: abcdef", "abcdef"),
        ("AccountKey=abc123==;Endpoint=x", "abc123"),
        ("redis://user:hidden@cache.example.com:6379", "hidden"),
        ("key sk_test_51HabcdefGH", "sk_test_51H"),
        ("secret whsec_abcdefghij", "whsec_abc"),
    ],
)
def test_private_texts_are_masked(text: str, private: str) -> None:
    masked = redact_text(text)
    assert private not in masked
    assert "[redacted]" in masked
    assert private not in orjson.dumps(formatted(text, note=text)).decode()


def test_ordinary_texts_stay() -> None:
    text = "order order-0199c1f2 of 3 items, 12.50 USD, at /api/orders/{order_id}"
    assert redact_text(text) == text


def test_sensitive_keys_are_masked_at_every_depth() -> None:
    masked = redact(
        {
            "user": {"email": "a@example.com", "phone": "1", "name": "Ann", "tags": [{"access_token": "t"}]},
            "Authorization": "x",
            "count": 2,
            "deep": {"a": {"b": {"c": {"password": "p"}}}},
        }
    )
    assert masked["user"] == {
        "email": "[redacted]",
        "phone": "[redacted]",
        "name": "Ann",
        "tags": [{"access_token": "[redacted]"}],
    }
    assert masked["Authorization"] == "[redacted]"
    assert masked["count"] == 2
    assert "p" not in masked["deep"]["a"]["b"].values()


def test_long_texts_are_cut_and_cost_little() -> None:
    assert len(redact_text("a" * 1_000_000)) < 9000
    assert len(redact_text("a." * 4000 + "@")) <= 8001


class Login(BaseModel):
    """A body with something private."""

    password: int


def test_exceptions_come_with_causes_and_without_inputs() -> None:
    try:
        try:
            Login.model_validate({"password": "hunter2"})
        except ValidationError as error:
            raise RuntimeError("login of ann@example.com failed") from error
    except RuntimeError as error:
        text = exception_text(error)
        line = formatted("failed", exc_info=(type(error), error, error.__traceback__))
    assert "RuntimeError: login of [redacted] failed" in text
    assert "ValidationError: 1 faults in Login" in text
    assert "test_logs.py" in text
    assert "hunter2" not in text
    assert line["exception"] == text


def test_stamps() -> None:
    stamp = Stamp()
    assert stamp(0.0) == "1970-01-01T00:00:00.000Z"
    assert stamp(0.9999) == "1970-01-01T00:00:00.999Z"
    assert stamp(1767225600.25) == "2026-01-01T00:00:00.250Z"


async def test_lines_arrive_in_their_order(pipe: Pipe) -> None:
    writer = LineWriter(pipe.writing)
    for number in range(500):
        writer.write(b"%d" % number)
    writer.close()
    assert pipe.lines() == [b"%d" % number for number in range(500)]
    writer.write(b"after")
    await eventually(lambda: pipe.lines()[500:] == [b"after"])
    writer.close()


async def test_a_reader_that_sleeps_costs_lines_and_no_time(pipe: Pipe) -> None:
    writer = LineWriter(pipe.writing, capacity=100)
    telemetry = Telemetry()
    writer.expose(telemetry)
    line = b"x" * 1000
    # The pipe holds 64 kB; the thread blocks on it, the queue fills, and `write` goes on returning.
    for _ in range(200):
        for _ in range(20):
            writer.write(line)
        await asyncio.sleep(0.001)
    assert writer.dropped > 0
    assert f"hph_log_lines_dropped_total {float(writer.dropped)}".encode() in telemetry.render()
    # What was not dropped arrives whole once somebody reads.
    await eventually(lambda: len(pipe.lines()) == 4000 - writer.dropped)
    assert set(pipe.lines()) == {line}
    writer.close()


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing)
    writer.write(b"nobody reads")
    writer.close()
    assert writer.dropped == 1
    os.close(writing)


@pytest.mark.usefixtures("_restored_logging")
def test_all_loggers_of_the_process_speak_json(pipe: Pipe) -> None:
    writer = LineWriter(pipe.writing)
    configure_logging("INFO", writer)
    logging.getLogger("handlers.orders").info("ours", extra={"email": "ann@example.com"})
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 1, extra={"color_message": "x"})
    logging.getLogger("uvicorn.access").info("GET /api/orders?email=ann@example.com")
    logging.getLogger("httpx").info("GET https://partner.example.com/?key=1")
    logging.getLogger("handlers.orders").debug("too small")
    writer.close()
    lines = [orjson.loads(line) for line in pipe.lines()]
    assert [(line["logger"], line["message"]) for line in lines] == [
        ("handlers.orders", "ours"),
        ("uvicorn.error", "Started server process [1]"),
    ]
    assert lines[0]["email"] == "[redacted]"
    assert "color_message" not in lines[1]


def test_one_writer_for_standard_output() -> None:
    assert standard_output() is standard_output()


HOSTILE = {
    "names in names": "passw" * 2_000,
    "tokens without a dot": "eyJ-" * 2_500,
    "names without values": "token " * 2_000,
    "a name and spaces": "token" + " " * 9_000,
    "one long word": "a" * 9_000,
    "an address that is none": "a@" * 4_500,
    "a domain without an end": "a@" + "b" * 9_000,
    "words with dots": "a.b" * 3_000 + "@",
    "urls": "://a" * 2_500,
    "quotes": "key'" * 2_500,
    "bearers": "bearer " * 1_500,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_redacting_takes_time_by_the_length_of_the_text(text: str) -> None:
    """A text twice as long takes twice as long, not four times: the best of some runs, with room for a busy machine."""

    def best(content: str) -> float:
        seconds = []
        for _ in range(5):
            started = time.perf_counter()
            redact_text(content)
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    whole = best(text[:MAX_TEXT])
    assert whole < 0.02
    assert whole < 3.2 * best(text[: MAX_TEXT // 2]) + 0.0005


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("url=https://x.example/?token=abc&a=1", "url=https://x.example/?token=[redacted]&a=1"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": "[redacted]", "n": 1}'),
        ("my_password_2='abc' rest", "my_password_2='[redacted]' rest"),
        ("token: token=abc", "token: [redacted]"),
        ("token=", "token="),
        ("keys=1 monkey=2", "keys=1 monkey=[redacted]"),
        ("x-eyJabc.def.ghi-", "[redacted]"),
        ("see eyJabc", "see eyJabc"),
    ],
)
def test_what_stands_behind_a_sensitive_name_is_masked(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted
