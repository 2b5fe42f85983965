"""What is logged of calls to Cosmos that are slow or fail: with the activity id, by which Azure's support finds them.

Not what belongs to every day: a document that is not there (404), is there already (409), or has changed (412), and the
400/1004 by which the service tells the SDK to ask for a query's plan. Of each
status one line a second, for a service that throttles does so thousands of times; the line says how many it stands for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

log = logging.getLogger(__name__)

SLOW: Final = 1.0  # seconds
_BEHIND: Final = "1002"  # with 404: a replica that has not got as far as the session
_ASK_FOR_PLAN: Final = "1004"
_EACH: Final = 1.0  # seconds between two lines of a status


class Diagnostics:
    """Hears of each call. One for each connection; `now` in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: dict[int, float] = {}
        self._more: dict[int, int] = {}

    def answered(self, request: Any, response: Any, seconds: float) -> None:
        """After an answer, whatever it is."""
        status = response.status_code
        if seconds >= SLOW or _has_failed(status, response.headers.get("x-ms-substatus")):
            self._log(status, request, seconds, response.headers)

    def lost(self, request: Any, error: BaseException, seconds: float) -> None:
        """After a call without an answer. One that is given up early was no longer wanted: the process ends."""
        if isinstance(error, asyncio.CancelledError) and seconds < SLOW:
            return
        self._log(0, request, seconds, {}, reason=type(error).__name__)

    def _log(self, status: int, request: Any, seconds: float, headers: Any, **more: Any) -> None:
        now = self._now()
        if now - self._last.get(status, -_EACH) < _EACH:
            self._more[status] = self._more.get(status, 0) + 1
            return
        self._last[status] = now
        fields = {
            "method": request.method,
            "container": _container(request.url),
            "status": status,
            "sub_status": headers.get("x-ms-substatus"),
            "milliseconds": round(seconds * 1000),
            "activity_id": headers.get("x-ms-activity-id"),
            "charge": headers.get("x-ms-request-charge"),
            "more": self._more.pop(status, None),
            **more,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        log.warning("a call to Cosmos %s", "failed" if status >= 400 or not status else "was slow", extra=given)


def _has_failed(status: int, sub_status: str | None) -> bool:
    if status == 404:
        return sub_status == _BEHIND
    if status == 400:
        return sub_status != _ASK_FOR_PLAN
    return status >= 400 and status not in {409, 412}


def _container(url: str) -> str:
    """The container of a call; no id of a document, which may say whose it is."""
    _, found, rest = url.partition("/colls/")
    return rest.partition("/")[0] if found else "-"
