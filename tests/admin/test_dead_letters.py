"""Dead letters in administration: listed, replayed, audited, for administrators only."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from generated.access import PERMISSIONS
from handlers.platform.access import Principal, Role
from handlers.platform.dead_letters import DeadLetters, Failure
from handlers.platform.store.port import Query, Upsert
from tests.support.app import RunningApp
from tests.support.wait import eventually

PATH = "/api/admin/dead-letters"


async def bury(running: RunningApp, number: int, **more: Any) -> str:
    """A dead letter; answers its id."""
    event_id = f"event-{number:04d}"
    envelope = {
        "event_id": event_id,
        "event_type": "OrderCompleted",
        "event_version": "1.0",
        "timestamp": "2026-01-25T10:45:00Z",
        "source": "crud-service",
        "data": {"order_id": "order-1"},
        "correlation_id": "req-1",
        "causation_id": "req-1",
    }
    fields = {
        "consumer": "crud-users",
        "event_id": event_id,
        "event_type": "OrderCompleted",
        "topic": "order-events",
        "key": "order-1",
        "envelope": envelope,
        "reason": "failed",
        "error": "ValueError: no such order",
        "attempts": 5,
        **more,
    }
    await DeadLetters(running.services.store, running.services.clock).bury(Failure(**fields))
    running.clock.advance(seconds=1)
    return f"{fields['consumer']}.{event_id}"


async def call(running: RunningApp, method: str, path: str, role: Role = "admin") -> httpx.Response:
    """A call of somebody with that role."""
    await _known(running, role)
    principal = Principal(f"user-{role}", role, PERMISSIONS[role], session_id="session-1")
    bearer = {"Authorization": f"Bearer {running.services.tokens.issue(principal)}"}
    return await running.client.request(method, path, headers=bearer)


async def _known(running: RunningApp, role: Role) -> None:
    """Staff and administrators are compared with their account."""
    user = {"id": f"user-{role}", "user_id": f"user-{role}", "role": role, "token_version": 0, "email": f"{role}@x.org"}
    await running.services.store.write("users", Upsert(user))


async def test_the_latest_come_first_page_by_page(running: RunningApp) -> None:
    ids = [await bury(running, number) for number in range(5)]
    ids.append(await bury(running, 9, consumer="crud-orders"))
    first = (await call(running, "GET", f"{PATH}?limit=4")).json()
    assert [item["dead_letter_id"] for item in first["items"]] == ids[:1:-1]
    rest = (await call(running, "GET", f"{PATH}?limit=4&cursor={first['next_cursor']}")).json()
    assert [item["dead_letter_id"] for item in rest["items"]] == ids[1::-1]
    assert rest["next_cursor"] is None
    own = (await call(running, "GET", f"{PATH}?consumer=crud-orders")).json()
    assert [item["dead_letter_id"] for item in own["items"]] == [ids[5]]
    none = (await call(running, "GET", f"{PATH}?consumer=crud-orders&status=replayed")).json()
    assert none["items"] == []
    second = (await call(running, "GET", f"{PATH}?limit=2&page=2")).json()
    assert [item["dead_letter_id"] for item in second["items"]] == ids[3:1:-1]


async def test_a_replay_is_under_way_and_audited(running: RunningApp) -> None:
    own = await bury(running, 1)
    answer = await call(running, "POST", f"{PATH}/{own}/replay")
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["status"], shown["replays"], shown["correlation_id"]) == ("replaying", 1, "req-1")
    again = await call(running, "POST", f"{PATH}/{own}/replay")
    assert (again.status_code, again.json()["error"]["details"]["rule"]) == (409, "dead_letter_state_invalid")

    async def audited() -> bool:
        return bool(await _audited(running))

    await eventually(audited)
    [entry] = await _audited(running)
    assert (entry["action"], entry["entity_id"], entry["actor_id"]) == ("event_replayed", "event-0001", "user-admin")
    assert entry["changes"] == {"status": {"before": "open", "after": "replaying"}}


async def _audited(running: RunningApp) -> list[dict[str, Any]]:
    month = running.services.clock.now().strftime("%Y-%m")
    page = await running.services.store.query(Query("audit_logs", ("event", month)))
    return [document.data for document in page.items]


async def test_what_cannot_be_replayed(running: RunningApp) -> None:
    large = await bury(running, 1, consumer="outbox-relay", reason="too_large")
    broken = await bury(running, 2, envelope=None, reason="invalid")
    for own in (large, broken):
        assert (await call(running, "POST", f"{PATH}/{own}/replay")).status_code == 409
    for unknown in ("crud-users.event-9999", "nonsense"):
        assert (await call(running, "POST", f"{PATH}/{unknown}/replay")).status_code == 404


@pytest.mark.parametrize("role", ["customer", "staff"])
async def test_only_administrators_may(running: RunningApp, role: Role) -> None:
    own = await bury(running, 1)
    assert (await call(running, "GET", PATH, role)).status_code == 403
    assert (await call(running, "POST", f"{PATH}/{own}/replay", role)).status_code == 403
