"""How long requests take, and what becomes of writes that meet: nothing is slow and nothing meets unless asked for.

`latency`: seconds from a request to the beginning of its work, as of a network. `write`: seconds for which a write has
its logical partition for itself, so that the next waits. One that finds `MOST` before it is refused with 449, as the
service does with a request that conflicts with others under way (Microsoft: "Retry With", only writes, safe to retry).
`lag`: seconds by which replicas are behind for who has no session token of the last commit.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from infra.local.cosmos.faults import BATCH, WRITE, Handler, kind_of
from infra.local.cosmos.wire import Refusal, Request, Response

MOST: Final = 8
_PARTITION: Final = "x-ms-documentdb-partitionkey"


@dataclass(slots=True)
class Pace:
    """Times in seconds; `conflicts` counts the refusals with 449."""

    latency: float = 0.0
    write: float = 0.0
    lag: float = 0.0
    conflicts: int = 0
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _waiting: Counter[str] = field(default_factory=Counter)

    async def around(self, request: Request, handler: Handler) -> Response:
        """Answers a request when its time has come."""
        kind = kind_of(request)
        if self.latency and kind is not None:
            await asyncio.sleep(self.latency)
        if not self.write or kind not in {WRITE, BATCH}:
            return await handler(request)
        place = f"{request.segments[3]} {request.headers.get(_PARTITION, '')}"
        if self._waiting[place] >= MOST:
            self.conflicts += 1
            raise Refusal(449, "conflicting request to the resource has been attempted")
        self._waiting[place] += 1
        try:
            async with self._locks[place]:
                await asyncio.sleep(self.write)
                return await handler(request)
        finally:
            self._waiting[place] -= 1
