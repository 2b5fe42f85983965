"""What an error of the service means, and how long it is worth trying again.

| Answer | Reads | Writes |
|---|---|---|
| 429, 449, 410, connection refused | again after a pause | again after a pause: nothing was written |
| 408, 500, 503, lost connection, time-out | again after a pause | in doubt: read back, then again (`cosmos_writes`) |
| 404/1002: a replica behind the session | again after a pause | - |
| 400, 404, 409, 412, 413 | the caller's | the caller's, unless the write is in doubt |
| 401, 403, 404/1003: no access, no container | unavailable | unavailable |

Pauses grow, with full jitter (so that those who were refused together do not come back together); the service's
`retry-after` is the least. An operation ends after `seconds`. A process that is refused more often than it is served
stops trying again at all, for else it would keep an overloaded service overloaded (`Allowance`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from handlers.platform.store.cosmos_watch import Watch
from handlers.platform.store.port import (
    DocumentExists,
    DocumentMissing,
    DocumentTooLarge,
    OutcomeUnknown,
    StoreMisuse,
    StoreThrottled,
    StoreUnavailable,
    VersionConflict,
)

SESSION_BEHIND: Final = 1002
OWNER_MISSING: Final = 1003


class Verdict(Enum):
    """What an error says about the request."""

    REFUSED = auto()  # it was judged: the caller's matter
    NOT_DONE = auto()  # nothing happened; may be tried again
    DOUBT = auto()  # it may have happened
    DOWN = auto()  # trying again is of no use


@dataclass(frozen=True, slots=True)
class Policy:
    """Times in seconds: of one attempt, of the whole operation, of the first and the longest pause."""

    attempt: float = 3.0
    seconds: float = 8.0
    first_pause: float = 0.02
    longest_pause: float = 1.0


class Allowance:
    """Trying again is paid for by what succeeded: a fifth of an attempt each, at most `most` saved up."""

    def __init__(self, most: float = 200.0, share: float = 0.2) -> None:
        self._most = self._left = most
        self._share = share

    def earn(self) -> None:
        """After a success."""
        if self._left < self._most:
            self._left = min(self._most, self._left + self._share)

    def spend(self) -> bool:
        """Whether another attempt may be made."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Pauses:
    """The pauses of one operation."""

    def __init__(self, policy: Policy, allowance: Allowance) -> None:
        self._policy = policy
        self._allowance = allowance
        self._ends = time.monotonic() + policy.seconds
        self._pause = policy.first_pause

    def attempt(self) -> float:
        """Seconds for the next attempt."""
        return min(self._policy.attempt, max(self._ends - time.monotonic(), self._policy.attempt / 8))

    async def rest(self, error: BaseException) -> bool:
        """Waits before the next attempt; False when there must be none."""
        pause = retry_after(error) + random.uniform(0, self._pause)  # noqa: S311 - jitter, no secret
        self._pause = min(2 * self._pause, self._policy.longest_pause)
        # An attempt without time to be answered would only put a write in doubt.
        if time.monotonic() + pause + self._policy.attempt / 4 > self._ends or not self._allowance.spend():
            return False
        await asyncio.sleep(pause)
        return True


def judge(error: BaseException) -> Verdict:
    """What an error says about the request."""
    if isinstance(error, ClientAuthenticationError):
        return Verdict.DOWN
    if isinstance(error, CosmosHttpResponseError | CosmosBatchOperationError):
        return _by_status(error.status_code or 0, error.sub_status)
    return Verdict.NOT_DONE if isinstance(error, ServiceRequestError) else Verdict.DOUBT


def _by_status(status: int, sub_status: int | None) -> Verdict:
    if status in {401, 403} or (status, sub_status) == (404, OWNER_MISSING):
        return Verdict.DOWN
    if status in {429, 449, 410} or (status, sub_status) == (404, SESSION_BEHIND):
        return Verdict.NOT_DONE
    return Verdict.DOUBT if status in {0, 408} or status >= 500 else Verdict.REFUSED


def retry_after(error: BaseException) -> float:
    """The seconds the service asks for."""
    headers = getattr(error, "headers", None) or {}
    try:
        return float(headers.get("x-ms-retry-after-ms", 0)) / 1000
    except ValueError:
        return 0.0


def refusal(error: BaseException, place: str) -> Exception:
    """The port's error for a request that was judged."""
    status = getattr(error, "status_code", None)
    match status:
        case 404:
            return DocumentMissing(f"{place}: no such document")
        case 409:
            return DocumentExists(f"{place}: id or unique key is taken")
        case 412:
            return VersionConflict(f"{place}: the document has changed, or the condition does not hold")
        case 413:
            return DocumentTooLarge(f"{place}: over the service's limit")
    return StoreMisuse(f"{place}: the service refused the request: {getattr(error, 'message', error)}")


def unavailable(error: BaseException, place: str, *, doubt: bool = False) -> StoreUnavailable:
    """The port's error for a request that could not be served."""
    if doubt:
        return OutcomeUnknown(f"{place}: the answer to a write was lost, and reading back did not settle it")
    status, sub_status = getattr(error, "status_code", None), getattr(error, "sub_status", None)
    if (status, sub_status) == (404, OWNER_MISSING):
        return StoreUnavailable(f"{place}: there is no such container in the account (make provision)")
    if status in {401, 403} or isinstance(error, ClientAuthenticationError):
        return StoreUnavailable(f"{place}: the account refuses this process's credential")
    if status == 429:
        return StoreThrottled(f"{place}: the service throttles")
    return StoreUnavailable(f"{place}: the service does not serve ({status or type(error).__name__})")


ERRORS: Final = (AzureError, TimeoutError)
Call = Callable[[], Awaitable[Any]]


class Reads:
    """Carries out what changes nothing, again and again if need be."""

    def __init__(self, policy: Policy, allowance: Allowance, watch: Watch) -> None:
        self._policy = policy
        self._allowance = allowance
        self._watch = watch

    async def run(self, call: Call, place: str) -> Any:
        """What the call answers. Raises the SDK's error when it was judged, else `StoreUnavailable`."""
        pauses: Pauses | None = None
        seconds = self._policy.attempt
        while True:
            try:
                with self._watch.limit(seconds):
                    found = await call()
            except ERRORS as error:
                verdict = judge(error)
                if verdict is Verdict.REFUSED:
                    raise
                pauses = pauses or Pauses(self._policy, self._allowance)
                if verdict is Verdict.DOWN or not await pauses.rest(error):
                    raise unavailable(error, place) from error
                seconds = pauses.attempt()
            else:
                self._allowance.earn()
                return found
