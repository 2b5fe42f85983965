"""What is known about the request in hand. The edge makes it, the inner runtime fills it, the access log reads it."""

from __future__ import annotations

from typing import Final

SCOPE_KEY: Final = "hph"


class RequestInfo:
    """One request, at `scope["hph"]`.

    `started` is `time.perf_counter()` at its arrival, in seconds. `template` is the path of the contract, never the raw
    path. `request_units` are what its documents cost (Cosmos DB's measure); whoever reads or writes them adds to it.
    `status` is 0 until the answer has begun. `max_body_bytes` is what may be forwarded of its body; None: whatever the
    process takes. `priority`: it comes through whatever the load (`x-priority`).
    """

    __slots__ = (
        "address",
        "max_body_bytes",
        "operation_id",
        "principal_id",
        "priority",
        "request_id",
        "request_units",
        "role",
        "started",
        "status",
        "template",
    )

    def __init__(
        self,
        request_id: str,
        address: str,
        started: float,
        *,
        operation_id: str | None = None,
        template: str | None = None,
        principal_id: str | None = None,
        role: str | None = None,
    ) -> None:
        self.request_id = request_id
        self.address = address
        self.started = started
        self.status = 0
        self.operation_id = operation_id
        self.template = template
        self.principal_id = principal_id
        self.role = role
        self.request_units = 0.0
        self.max_body_bytes: int | None = None
        self.priority = False
