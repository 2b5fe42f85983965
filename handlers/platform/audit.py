"""Audit entries: a row in the outbox of the change (decision 68), which the relay puts into `audit_logs`.

They name people and addresses, so they never go on the bus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from generated.containers import CONTAINERS
from handlers.platform.clock import Clock, SystemClock, timestamp
from handlers.platform.ids import new_id
from handlers.platform.outbox import KIND, TTL, WRITTEN
from handlers.platform.publisher import AUDIT
from handlers.platform.store.port import Create, DocumentExists, DocumentStore, StoreMisuse
from handlers.platform.store.values import place

CONTAINER: Final = "audit_logs"
MASK: Final = "***"

ActorType = Literal["anonymous", "customer", "staff", "admin", "agent", "system"]
# Before and after, by field.
Changes = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where."""

    type: ActorType
    id: str | None = None
    email: str | None = None
    request_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    session_id: str | None = None


def audit_row(
    container: str,
    guarded: Mapping[str, Any],
    actor: Actor,
    *,
    entity_type: str,
    entity_id: str,
    action: str,
    changes: Changes | None = None,
    clock: Clock | None = None,
) -> Create:
    """The row for the same batch as the change of `guarded`. Values of secrets must be replaced by `MASK` before."""
    if KIND not in CONTAINERS[container].kinds:
        raise StoreMisuse(f"{container}: no outbox rows here (infra/containers.yaml)")
    now = timestamp((clock or SystemClock()).now())
    audit_id = new_id("audit")
    metadata = {
        "ip_address": actor.ip_address,
        "user_agent": actor.user_agent[:512] if actor.user_agent else None,
        "session_id": actor.session_id,
        "request_id": actor.request_id,
    }
    entry = {
        "audit_id": audit_id,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "action": action,
        "actor_id": actor.id,
        "actor_type": actor.type,
        "actor_email": actor.email,
        "changes": {name: {"before": before, "after": after} for name, (before, after) in (changes or {}).items()},
        "metadata": _given(metadata),
        "timestamp": now,
    }
    return Create(
        {
            **place(CONTAINERS[container].partition_key, guarded),
            "id": audit_id,
            "kind": KIND,
            "ttl": TTL,
            WRITTEN: now,
            "topic": AUDIT,
            "partition_key": entity_id,
            "entry": _given(entry),
        }
    )


class AuditLog:
    """Writes the rows into `audit_logs`: what the relay calls for them."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    async def __call__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Each entry once, however often it comes. Raises `StoreError`."""
        for row in rows:
            entry = row["entry"]
            try:
                await self._store.write(
                    CONTAINER, Create({**entry, "id": entry["audit_id"], "month": entry["timestamp"][:7]})
                )
            except DocumentExists:
                continue


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
