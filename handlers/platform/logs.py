"""Logs: one JSON object per line, ours and uvicorn's alike, without personal data or secrets, and never in the way.

Lines go through `LineWriter`, whose thread does the writing. When the reader of the log is slower than we are, lines
are dropped and counted: a full pipe must not stop the event loop. A kill -9 loses the last 50 ms of them.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import time
import traceback
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

if TYPE_CHECKING:
    from handlers.platform.telemetry import Telemetry

CAPACITY: Final = 20_000
MAX_TEXT: Final = 8_000
_GATHER_SECONDS: Final = 0.05
_MASK: Final = "[redacted]"

_SENSITIVE_KEY: Final = re.compile(
    r"passw|secret|token|authorization|cookie|credential|signature|api_?key|connection_string|e_?mail|phone|card|cvc|otp",
    re.IGNORECASE,
)
# The lookbehind lets a match begin at the start of a run only, which keeps the search linear.
_EMAIL: Final = re.compile(r"(?<![\w.%+-])[\w.%+-]+@[\w-]+(\.[\w-]+)+")
_TEXT_RULES: Final = (
    (re.compile(r"://[^/@\s]*+@"), "://" + _MASK + "@"),
    (_EMAIL, _MASK),
    (re.compile(r"\b(bearer|basic)\s++[\w.~+/=-]++", re.IGNORECASE), r"\1 " + _MASK),
    # The first `eyJ` of a run decides, atomically: no other is tried when no dot follows.
    (re.compile(r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]++\.[\w-]++(\.[\w-]*+)?"), _MASK),
    (re.compile(r"\b(sk|rk|pk|whsec)_\w{8,}+"), _MASK),
)
# A name with what stands between it and its value. Whether the name is sensitive is looked at afterwards, so that each
# word is gone through once.
_NAME: Final = re.compile(r"(?<!\w)(\w++)[\"']?+\s*+[=:]\s*+[\"']?+")
_SENSITIVE_NAME: Final = re.compile(r"passw|(?:secret|token|authorization|key|cookie|otp)$", re.IGNORECASE)
_VALUE: Final = re.compile(r"[^\s\"',;&}]++")
_RECORD_FIELDS: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"})


def redact(value: Any, depth: int = 4) -> Any:
    """A value fit for a log: masks what stands under a sensitive key, and what looks like a secret or an address."""
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {str(k): _MASK if _SENSITIVE_KEY.search(str(k)) else redact(v, depth - 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth - 1) for item in value]
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """A text without addresses, tokens and passwords, of at most `MAX_TEXT` characters."""
    text = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
    for pattern, replacement in _TEXT_RULES:
        text = pattern.sub(replacement, text)
    return _mask_values(text)


def _mask_values(text: str) -> str:
    """The text with what follows a sensitive name (`password=…`, `"api_key": "…"`) masked, in one pass."""
    parts, at = [], 0
    for name in _NAME.finditer(text):
        if name.start() < at or _SENSITIVE_NAME.search(name[1]) is None:
            continue
        value = _VALUE.match(text, name.end())
        if value is not None:
            parts += [text[at : name.end()], _MASK]
            at = value.end()
    return "".join([*parts, text[at:]]) if parts else text


def exception_text(error: BaseException) -> str:
    """An exception and its causes, with frames; without the inputs that pydantic quotes, which are request bodies."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        parts.append("".join(traceback.format_tb(current.__traceback__)) + _headline(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return redact_text("\ncaused while handling:\n".join(parts))


def _headline(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, ValidationError):
        return f"{name}: {error.error_count()} faults in {error.title}"
    return f"{name}: {str(error)[:500]}"


class Stamp:
    """Tells the time for log lines, RFC 3339 with milliseconds; formats the date once a second."""

    __slots__ = ("_prefix", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._prefix = ""

    def __call__(self, now: float) -> str:
        """The text of a moment, in seconds since 1970."""
        second = int(now)
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = second
        return f"{self._prefix}{int((now - second) * 1000):03d}Z"


class LineWriter:
    """Writes lines to a file descriptor in a thread of its own. `write` never waits; `dropped` counts what was lost."""

    def __init__(self, descriptor: int = 1, capacity: int = CAPACITY) -> None:
        self._descriptor = descriptor
        self._capacity = capacity
        self._lines: deque[bytes] = deque()
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._idle = True
        self._closing = False
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def write(self, line: bytes) -> None:
        """Queues one line, without its end."""
        if len(self._lines) >= self._capacity:
            self.dropped += 1
            return
        self._lines.append(line)
        if self._idle:
            self._start()

    def close(self, seconds: float = 2.0) -> None:
        """Writes what is queued, for at most so many seconds. A later `write` begins anew."""
        thread = self._thread
        if thread is not None:
            self._closing = True
            self._wake.set()
            thread.join(seconds)
            self._thread = None
            self._closing = False

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes the dropped lines in the metrics."""
        telemetry.watch("hph_log_lines_dropped", "Log lines dropped because nobody read them.", lambda: self.dropped)

    def _start(self) -> None:
        self._idle = False
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
                self._thread.start()
                atexit.register(self.close)
        self._wake.set()

    def _run(self) -> None:
        while True:
            if not self._lines:
                # Idle first, then look again: a line queued in between finds us idle and wakes us.
                self._idle = True
                if not self._lines:
                    if self._closing:
                        return
                    self._wake.wait()
            self._wake.clear()
            self._idle = False
            if not self._closing:
                # Waking this thread costs the event loop more than the line does: gather some.
                self._wake.wait(_GATHER_SECONDS)
            self._drain()

    def _drain(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        rest = memoryview(b"".join(line + b"\n" for line in lines))
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                self.dropped += len(lines)
                return


class JsonFormatter(logging.Formatter):
    """A log record as one JSON object: time, level, logger, message, what was given as `extra`, and the exception."""

    def __init__(self) -> None:
        super().__init__()
        self._stamp = Stamp()

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, Any] = {
            "time": self._stamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_text(record.getMessage()),
        }
        line.update(redact({k: v for k, v in vars(record).items() if k not in _RECORD_FIELDS}))
        if record.exc_info is not None and record.exc_info[1] is not None:
            line["exception"] = exception_text(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


class LineHandler(logging.Handler):
    """Hands log records to a `LineWriter`."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Queues the record's line."""
        try:
            self._writer.write(self.format(record).encode())
        except Exception:
            self.handleError(record)


@cache
def standard_output() -> LineWriter:
    """The process's own writer, to its standard output."""
    return LineWriter()


def configure_logging(level: str, writer: LineWriter | None = None) -> None:
    """Sends every logger of the process through one writer. Start uvicorn with `log_config=None, access_log=False`."""
    root = logging.getLogger()
    root.handlers = [LineHandler(writer or standard_output())]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    # The edge writes the access log. Clients log whole addresses, with their queries, below WARNING.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("azure", "uamqp", "stripe", "httpx", "httpcore", "aiohttp", "asyncio", "connexion"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
