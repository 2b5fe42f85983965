"""The list of one's sessions, ending them, and how long one lasts at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handlers.users import session_index
from tests.support.app import RunningApp, running_app
from tests.support.people import Person, asked_again, login, rule_of, signed_in

PATH = "/api/users/me/sessions"


async def elsewhere(running: RunningApp, person: Person, device: str) -> Person:
    """The same person signed in on another device."""
    answer = await login(running, person.email, person.password, headers={"User-Agent": device})
    return Person(person.email, person.password, answer.json())


async def sessions(running: RunningApp, person: Person) -> list[dict[str, Any]]:
    answer = await running.client.get(PATH, headers=person.bearer)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def refresh(running: RunningApp, person: Person) -> Any:
    body = {"refresh_token": person.session["refresh_token"]}
    async with running.new_client() as client:
        return await client.post("/api/auth/refresh", json=body, headers={"User-Agent": "Refreshed/2"})


async def test_the_list_says_where_one_is_signed_in(running: RunningApp) -> None:
    here = await signed_in(running)
    running.clock.advance(minutes=1)
    there = await elsewhere(running, here, "Phone/1 ()")
    assert session_index.device_of("Phone/1\x01 (\u00e9)" + "x" * 300) == "Phone/1 ()" + "x" * 190
    await signed_in(running)
    first, second = await sessions(running, here)
    assert (first["device"], first["current"], second["current"]) == ("Phone/1 ()", False, True)
    assert first["network"] == "127.0.0.1"
    assert first["started_at"] == first["last_used_at"] > second["last_used_at"]
    running.clock.advance(minutes=1)
    assert (await refresh(running, there)).status_code == 200
    again = (await sessions(running, here))[0]
    assert (again["session_id"], again["device"]) == (first["session_id"], "Refreshed/2")
    assert again["started_at"] == first["started_at"]
    assert again["last_used_at"] > first["last_used_at"]
    assert again["expires_at"] > first["expires_at"]


async def test_one_session_is_ended(running: RunningApp) -> None:
    here = await signed_in(running)
    there = await elsewhere(running, here, "Phone/1")
    other = next(one for one in await sessions(running, here) if not one["current"])["session_id"]
    stranger = await signed_in(running)
    refused = await running.client.delete(f"{PATH}/{other}", headers=stranger.bearer)
    assert refused.status_code == 404
    assert (await running.client.delete(f"{PATH}/{other}", headers=here.bearer)).status_code == 204
    assert (await refresh(running, there)).status_code == 401
    assert (await running.client.get("/api/users/me", headers=there.bearer)).status_code == 401
    assert len(await sessions(running, here)) == 1
    assert (await running.client.delete(f"{PATH}/{other}", headers=here.bearer)).status_code == 404


async def test_all_others_are_ended(running: RunningApp) -> None:
    here = await signed_in(running)
    others = [await elsewhere(running, here, f"Phone/{number}") for number in range(3)]
    assert (await running.client.delete(PATH, headers=here.bearer)).status_code == 204
    for other in others:
        assert (await refresh(running, other)).status_code == 401
        assert (await running.client.get("/api/users/me", headers=other.bearer)).status_code == 401
    assert [one["current"] for one in await sessions(running, here)] == [True]


async def test_what_is_over_is_not_listed(running: RunningApp) -> None:
    here = await signed_in(running)
    there = await elsewhere(running, here, "Phone/1")
    out = {"refresh_token": there.session["refresh_token"]}
    assert (await running.client.post("/api/auth/logout", json=out)).status_code == 204
    assert len(await sessions(running, here)) == 1
    body = {"old_password": here.password, "new_password": "Another-Mountain#43"}
    assert (await running.client.put("/api/users/me/password", json=body, headers=here.bearer)).status_code == 204
    again = await signed_in(running, Person(here.email, "Another-Mountain#43"))
    assert len(await sessions(running, again)) == 1
    running.clock.advance(days=8)
    assert len(await sessions(running, await signed_in(running, again))) == 1


async def test_a_deleted_account_leaves_no_devices_behind(running: RunningApp) -> None:
    person = await signed_in(running)
    headers = await asked_again(running, person)
    assert (await running.client.delete("/api/users/me", headers=headers)).status_code == 204
    assert await session_index.sessions_of(running.services.cache, person.user_id) == []


async def test_the_oldest_of_too_many_end(running: RunningApp, monkeypatch: Any) -> None:
    monkeypatch.setattr(session_index, "MAX_SESSIONS", 3)
    people = []
    person = await signed_in(running)
    for number in range(4):
        running.clock.advance(seconds=2)
        people.append(await elsewhere(running, person, f"Phone/{number}"))
    assert [one["device"] for one in await sessions(running, people[-1])] == ["Phone/3", "Phone/2", "Phone/1"]
    assert (await refresh(running, people[0])).status_code == 401
    assert (await refresh(running, people[1])).status_code == 200


async def test_a_session_lasts_no_longer_than_its_time_however_often_it_is_refreshed(
    tmp_path: Path, redis_url: str
) -> None:
    async with running_app(tmp_path, redis_url, SESSION_MAX_DAYS="10") as running:
        person = await signed_in(running)
        assert person.session["refresh_expires_in"] == 7 * 86_400
        running.clock.advance(days=6)
        person.session = (await refresh(running, person)).json()
        assert 4 * 86_400 - 60 < person.session["refresh_expires_in"] <= 4 * 86_400
        running.clock.advance(days=3)
        person.session = (await refresh(running, person)).json()
        assert person.session["refresh_expires_in"] <= 86_400
        running.clock.advance(days=1)
        answer = await refresh(running, person)
        assert (answer.status_code, rule_of(answer)) == (401, "token_expired")
