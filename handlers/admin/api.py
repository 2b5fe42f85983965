"""Operations of the tag `admin`."""

from __future__ import annotations

from typing import Any

from generated import params as p
from generated import views as v
from handlers.contract.acting import actor_of
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.audit import audit_row
from handlers.platform.dead_letters import CONTAINER, DeadLetters, NotReplayable
from handlers.platform.errors import conflict, not_found
from handlers.platform.paging import items_before
from handlers.platform.store.port import VersionConflict

_SHOWN = (
    "consumer",
    "status",
    "reason",
    "error",
    "attempts",
    "replays",
    "event_id",
    "event_type",
    "topic",
    "partition_key",
    "failed_at",
    "replayed_at",
)


async def list_dead_letters(params: p.ListDeadLettersParameters, call: Call) -> v.DeadLetterPage:
    """Events that consumers gave up, the latest first."""
    services = call.services
    letters = DeadLetters(services.store, services.clock)
    query = letters.query(params.consumer, params.status, params.limit, items_before(params.page, params.limit))
    page = await services.store.query(services.cursors.apply(query, params.cursor))
    return {
        "items": [_view(document.data) for document in page.items],
        "page": params.page,
        "limit": params.limit,
        "next_cursor": services.cursors.next(query, page),
    }


async def replay_dead_letter(params: p.ReplayDeadLetterParameters, call: Call) -> Reply[v.DeadLetter]:
    """Sends an event again, to the consumer that gave it up."""
    services = call.services
    letters = DeadLetters(services.store, services.clock)
    found = await letters.find(params.dead_letter_id)
    if found is None:
        raise not_found("Dead letter", dead_letter_id=params.dead_letter_id)
    audit = audit_row(
        CONTAINER,
        found.data,
        actor_of(call),
        entity_type="event",
        entity_id=found.data["event_id"],
        action="event_replayed",
        changes={"status": (found.data["status"], "replaying")},
        clock=services.clock,
    )
    try:
        replayed = await letters.replay(found, audit)
    except (NotReplayable, VersionConflict) as error:
        raise conflict(
            "The dead letter cannot be replayed", "dead_letter_state_invalid", status=found.data["status"]
        ) from error
    return Reply(_view(replayed.data))


def _view(letter: dict[str, Any]) -> v.DeadLetter:
    shown: Any = {name: letter[name] for name in _SHOWN if name in letter}
    shown["dead_letter_id"] = letter["id"]
    correlation_id = (letter["envelope"] or {}).get("correlation_id")
    if isinstance(correlation_id, str) and correlation_id:
        shown["correlation_id"] = correlation_id[:128]
    return shown  # type: ignore[no-any-return]  # fields of the contract by name
