"""What every operation works with: the objects, the time, and the events that tell of changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final

from infra.local.stripe.state import State
from infra.local.stripe.wire import Json, new_id, shown

VERSION: Final = "2026-10-28.endive"


class Account:
    """One account in test mode. `now`: seconds since 1970; `deliver` receives each event."""

    def __init__(self, state: State, now: Callable[[], float], deliver: Callable[[Json], None]) -> None:
        self.state = state
        self.request: Json = {"id": None, "idempotency_key": None}
        self._now = now
        self._deliver = deliver

    def now(self) -> int:
        """The time, in seconds since 1970."""
        return int(self._now())

    def emit(self, kind: str, thing: Json, previous: Json | None = None) -> None:
        """An event about an object as it is now (reference: Events)."""
        data: Json = {"object": copy.deepcopy(shown(thing))}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Json = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": dict(self.request),
            "type": kind,
        }
        self._deliver(self.state.put(event))
