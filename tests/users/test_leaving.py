"""The end of an account, and rights that were taken away."""

from __future__ import annotations

import asyncio

import pytest

from handlers.platform.errors import Problem
from handlers.platform.store.claims import CLAIMS, key_of
from handlers.platform.store.port import Patch, Query
from handlers.users.versions import VersionCheck
from tests.support.app import RunningApp
from tests.support.people import (
    Person,
    asked_again,
    browser,
    login,
    mailed_token,
    mails,
    outbox_events,
    rule_of,
    signed_in,
    signed_up,
)


async def promoted(running: RunningApp, role: str) -> Person:
    """A person with a role and a token that says so."""
    person = await signed_in(running)
    patch = Patch(person.user_id, sets={"role": role})
    await running.services.store.write("users", patch, partition=person.user_id)
    return await signed_in(running, person)


async def test_deleting_erases_the_account_and_frees_the_address(running: RunningApp) -> None:
    person = await signed_up(running)
    token = await mailed_token(running, person.email)
    async with browser(running, person) as client:
        user_id = (await client.get("/api/users/me")).json()["user_id"]
        asked = await client.post("/api/users/me/reauthentication", json={"password": person.password})
        again = {"X-Reauthentication": asked.json()["reauthentication_token"]}
        answer = await client.delete("/api/users/me", headers=again)
        assert answer.status_code == 204
        assert set(client.cookies) == {"hph_device"}
    store = running.services.store
    assert await store.read("users", user_id, user_id) is None
    event = (await outbox_events(running, user_id))[-1]
    assert (event["event_type"], event["data"]) == ("UserDeleted", {"user_id": user_id})
    assert person.email not in str(event)
    key = key_of("email", person.email)
    assert await store.read(CLAIMS, key, key) is None
    assert (await login(running, person.email, person.password)).status_code == 401
    assert rule_of(await running.client.post("/api/auth/verify-email", json={"token": token})) == "token_invalid"
    await signed_up(running, person.email)


async def test_tokens_of_a_deleted_account_open_nothing(running: RunningApp) -> None:
    person = await signed_in(running)
    again = await asked_again(running, person)
    assert (await running.client.delete("/api/users/me", headers=again)).status_code == 204
    assert "deleted" in (await mails(running, person.email))[0]["subject"]
    for method, path in (("GET", "/api/users/me"), ("PUT", "/api/users/me"), ("DELETE", "/api/users/me")):
        body = {"name": "X"} if method == "PUT" else None
        answer = await running.client.request(method, path, headers=person.bearer, json=body)
        assert (answer.status_code, rule_of(answer)) == (401, "token_invalid")
    refreshed = await running.client.post("/api/auth/refresh", json={"refresh_token": person.session["refresh_token"]})
    assert refreshed.status_code == 401


async def test_a_stolen_access_token_deletes_nothing(running: RunningApp) -> None:
    person = await signed_in(running)
    answer = await running.client.delete("/api/users/me", headers=person.bearer)
    assert (answer.status_code, rule_of(answer)) == (403, "reauthentication_required")
    assert (await login(running, person.email, person.password)).status_code == 200


async def test_two_deletions_at_once_are_one(running: RunningApp) -> None:
    person = await signed_in(running)
    again = await asked_again(running, person)
    answers = await asyncio.gather(*(running.client.delete("/api/users/me", headers=again) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 401, 401, 401]
    deleted = [e for e in await outbox_events(running, person.user_id) if e["event_type"] == "UserDeleted"]
    assert len(deleted) == 1


async def test_the_last_administrator_stays(running: RunningApp) -> None:
    admin = await promoted(running, "admin")
    again = await asked_again(running, admin)
    answer = await running.client.delete("/api/users/me", headers=again)
    assert (answer.status_code, rule_of(answer)) == (409, "last_admin")
    await promoted(running, "admin")
    assert (await running.client.delete("/api/users/me", headers=again)).status_code == 204


async def test_the_last_two_administrators_do_not_leave_at_once(running: RunningApp) -> None:
    admins = [await promoted(running, "admin") for _ in range(3)]
    again = [await asked_again(running, admin) for admin in admins]
    answers = await asyncio.gather(*(running.client.delete("/api/users/me", headers=headers) for headers in again))
    assert all(answer.status_code in (204, 409, 503) for answer in answers)
    store = running.services.store
    left = await store.query(Query("users", purpose="admin_users", limit=10))
    assert any(document.data["role"] == "admin" for document in left.items)


async def test_rights_end_within_five_seconds(running: RunningApp) -> None:
    staff = await promoted(running, "staff")
    check = VersionCheck(running.services)
    principal = running.services.tokens.verify(staff.session["access_token"])
    await check(principal, writes=False)
    patch = Patch(staff.user_id, sets={"role": "customer"}, increments={"token_version": 1})
    await running.services.store.write("users", patch, partition=staff.user_id)
    running.clock.advance(seconds=5)
    with pytest.raises(Problem) as refused:
        await check(principal, writes=False)
    assert refused.value.rule == "token_invalid"
    answer = await running.client.get("/api/staff/orders", headers=staff.bearer)
    assert answer.status_code == 401


async def test_rights_of_a_deleted_account_end_too(running: RunningApp) -> None:
    staff = await promoted(running, "staff")
    principal = running.services.tokens.verify(staff.session["access_token"])
    again = await asked_again(running, staff)
    assert (await running.client.delete("/api/users/me", headers=again)).status_code == 204
    with pytest.raises(Problem):
        await VersionCheck(running.services)(principal, writes=False)
