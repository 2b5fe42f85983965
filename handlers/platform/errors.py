"""The one way to refuse: `Problem`, which the runtime turns into the contract's error envelope (plan, Appendix D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generated.errors import STATUS_OF, ErrorCode, ErrorRule


class Problem(Exception):
    """A request that cannot be answered with success. Becomes the error envelope; changes nothing.

    `message` is for people, `details` for programs; neither may hold secrets or personal data.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        rule: ErrorRule | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: dict[str, Any] = {**({"rule": rule} if rule else {}), **(details or {})}
        self.headers = headers

    @property
    def status(self) -> int:
        """The HTTP status that belongs to the code."""
        return STATUS_OF[self.code]

    @property
    def rule(self) -> str | None:
        """The business rule that refused, if one did."""
        rule = self.details.get("rule")
        return rule if isinstance(rule, str) else None


class DocumentNewer(Problem):
    """503: a document is in a state that this program has no rule for, because a newer one has written it.

    While a release rolls out, the caller's next try may reach a process that knows it; an event is parked until then.
    """

    def __init__(self, what: str) -> None:
        super().__init__("SERVICE_UNAVAILABLE", f"{what} is newer than this process", headers=((b"retry-after", b"2"),))


def fault(place: str, path: str, message: str) -> dict[str, str]:
    """One entry of `details.faults`."""
    return {"in": place, "path": path, "message": message}


def invalid(faults: Sequence[Mapping[str, str]], message: str = "Request validation failed") -> Problem:
    """400: the request does not fit the contract; says every fault with its place."""
    return Problem("INVALID_REQUEST", message, details={"faults": list(faults)})


def unauthorized(message: str = "Missing or invalid authentication token", *, rule: ErrorRule | None = None) -> Problem:
    """401, with the scheme to use (RFC 6750)."""
    return Problem("UNAUTHORIZED", message, rule=rule, headers=((b"www-authenticate", b"Bearer"),))


def forbidden(message: str = "Insufficient permissions", *, rule: ErrorRule | None = None) -> Problem:
    """403: known, and not allowed."""
    return Problem("FORBIDDEN", message, rule=rule)


def not_found(what: str, **ids: str) -> Problem:
    """404: `what` is the entity's name for people; `ids` say which one was asked for."""
    return Problem("RESOURCE_NOT_FOUND", f"{what} not found", details=ids)


def conflict(message: str, rule: ErrorRule, **facts: Any) -> Problem:
    """409: collides with what exists."""
    return Problem("CONFLICT", message, rule=rule, details=facts)


def precondition_failed() -> Problem:
    """412: the document has changed since the caller's `ETag`."""
    return Problem("PRECONDITION_FAILED", "The document has changed", rule="version_conflict")


def unprocessable(message: str, rule: ErrorRule, **facts: Any) -> Problem:
    """422: fits the contract, and a business rule says no."""
    return Problem("UNPROCESSABLE_ENTITY", message, rule=rule, details=facts)


def rate_limited(retry_after: int) -> Problem:
    """429, with the seconds to wait."""
    headers = ((b"retry-after", str(retry_after).encode()),)
    return Problem("RATE_LIMIT_EXCEEDED", "Too many requests", details={"retry_after": retry_after}, headers=headers)


def unavailable(message: str = "Service temporarily unavailable", *, retry_after: int = 2) -> Problem:
    """503: a dependency is away; with the seconds to wait."""
    return Problem("SERVICE_UNAVAILABLE", message, headers=((b"retry-after", str(retry_after).encode()),))


def unexpected() -> Problem:
    """500: a defect of ours. Says nothing about it; the log does."""
    return Problem("INTERNAL_SERVER_ERROR", "Unexpected server error")
