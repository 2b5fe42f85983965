"""An order as a stream of server-sent events (WHATWG HTML, 9.2): each change once, in order, resumable by its id."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from handlers.contract.services import EventServices
from handlers.orders import rules, store, views
from handlers.orders.bells import Bells
from handlers.platform.store.port import StoreUnavailable
from handlers.platform.waiting import told

log = logging.getLogger(__name__)

Json = dict[str, Any]

HEARTBEAT_SECONDS: Final = 15.0
# Another process may have made the change. One point read each time, in every stream.
LOOK_SECONDS: Final = 1.0
_ALIVE: Final = b": still here\n\n"
# Browsers come back after so many milliseconds: soon after a break, and not for nothing after the end.
_FIRST: Final = b"retry: 2000\n\n"
_LAST: Final = b"retry: 3600000\n\n"


async def follow(
    services: EventServices, order: Json, caller: str, near: str, last_id: str | None
) -> AsyncIterator[bytes]:
    """The state of an order, or what has changed since `last_id`, then every change until the last; alive meanwhile."""
    bells, loop = services.room(Bells), asyncio.get_running_loop()
    seen = rules.revision_before(order, last_id)
    if bells.is_full(caller, near):
        return
    with bells.hung(order["order_id"], caller, near) as bell:
        yield _FIRST
        spoken = loop.time()
        while not services.stopping.begun:
            for change in rules.changes_since(order, seen):
                seen, spoken = change["revision"], loop.time()
                yield _message(order["order_id"], change)
            if rules.is_settled(order):
                yield _LAST
                return
            if loop.time() - spoken >= HEARTBEAT_SECONDS:
                spoken = loop.time()
                yield _ALIVE
            await told(bell, LOOK_SECONDS)
            bell.clear()
            order = await _looked(services, order)


async def _looked(services: EventServices, order: Json) -> Json:
    """The order as it is now. While the store is away, as it was: the stream goes on afterwards."""
    try:
        found = await store.read(services.store, order["user_id"], order["order_id"])
    except StoreUnavailable as error:
        log.warning("a followed order cannot be read", extra={"reason": type(error).__name__})
        return order
    return found.data if found is not None else order


def _message(order_id: str, change: Json) -> bytes:
    data = views.stream_view(order_id, change)
    return b"id: %d\nevent: order\ndata: %s\n\n" % (change["revision"], orjson.dumps(data))
