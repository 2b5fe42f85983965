"""Which requests come through whatever the load: those of operations with `x-priority`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from handlers.contract.operation import Operation
from handlers.platform.load import IsPriority

_TEMPLATE: Final = re.compile(r"\\\{[^/]+\\\}")


def priority_requests(operations: Iterable[Operation]) -> IsPriority:
    """Tells, of a method and a request target, whether its operation has priority. A HEAD has it as its GET has."""
    known: set[tuple[bytes, bytes]] = set()
    patterns: list[tuple[bytes, re.Pattern[bytes]]] = []
    for operation in operations:
        if not operation.priority:
            continue
        for method in ("get", "head") if operation.method == "get" else (operation.method,):
            verb = method.upper().encode("ascii")
            if "{" in operation.path:
                pattern = _TEMPLATE.sub("[^/]+", re.escape(operation.path))
                patterns.append((verb, re.compile(pattern.encode("ascii"))))
            else:
                known.add((verb, operation.path.encode("ascii")))

    def has_priority(method: bytes, target: bytes) -> bool:
        path = target.partition(b"?")[0]
        return (method, path) in known or any(
            method == verb and pattern.fullmatch(path) is not None for verb, pattern in patterns
        )

    return has_priority
