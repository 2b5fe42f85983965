"""The caller's account, preferences and rewards."""

from __future__ import annotations

import asyncio

import pytest

from handlers.platform.store.port import Patch
from tests.support.app import RunningApp
from tests.support.people import (
    asked_again,
    new_address,
    outbox_events,
    rule_of,
    signed_in,
)


async def test_the_account_as_its_owner_sees_it(running: RunningApp) -> None:
    person = await signed_in(running)
    answer = await running.client.get("/api/users/me", headers=person.bearer)
    assert answer.status_code == 200
    assert answer.json()["email"] == person.email
    assert answer.json()["rewards"] == {
        "points": 0,
        "tier": "bronze",
        "lifetime_spend": 0,
        "currency": "USD",
        "next_tier": "silver",
        "points_to_next_tier": 500,
    }
    assert (await running.client.get("/api/users/me")).status_code == 401


async def test_fields_replace_stay_and_clear(running: RunningApp) -> None:
    person = await signed_in(running)
    first = {
        "name": "Dana W.",
        "phone": "+14155550132",
        "avatar_url": "https://cdn.example.com/a.jpg",
        "date_of_birth": "1990-05-15",
        "newsletter_opt_in": True,
    }
    again = await asked_again(running, person)
    user = (await running.client.put("/api/users/me", json=first, headers=again)).json()
    assert (user["name"], user["phone"], user["newsletter_opt_in"]) == ("Dana W.", "+14155550132", True)
    assert user["profile"]["date_of_birth"] == "1990-05-15"
    second = {"phone": None, "avatar_url": None, "date_of_birth": None}
    user = (await running.client.put("/api/users/me", json=second, headers=again)).json()
    assert (user["name"], user["phone"]) == ("Dana W.", None)
    assert (user["profile"]["avatar_url"], user["profile"]["date_of_birth"]) == (None, None)
    fields = [event["data"].get("changed_fields") for event in await outbox_events(running, person.user_id)]
    assert fields == [None, ["name", "phone", "newsletter_opt_in", "profile"], ["phone", "profile"]]


async def test_a_change_that_changes_nothing_writes_nothing(running: RunningApp) -> None:
    person = await signed_in(running)
    before = await running.client.get("/api/users/me", headers=person.bearer)
    same = {"name": before.json()["name"], "email": person.email.upper()}
    answer = await running.client.put("/api/users/me", json=same, headers=person.bearer)
    assert answer.headers["etag"] == before.headers["etag"]
    assert len(await outbox_events(running, person.user_id)) == 1


async def test_if_match_guards_the_write(running: RunningApp) -> None:
    person = await signed_in(running)
    etag = (await running.client.get("/api/users/me", headers=person.bearer)).headers["etag"]
    guarded = {**person.bearer, "If-Match": etag}
    first = await running.client.put("/api/users/me", json={"name": "A"}, headers=guarded)
    assert first.status_code == 200
    second = await running.client.put("/api/users/me", json={"name": "B"}, headers=guarded)
    assert (second.status_code, rule_of(second)) == (412, "version_conflict")
    for tag in ('W/"x"', '"a", "b"', "bare"):
        weak = await running.client.put("/api/users/me", json={"name": "C"}, headers={**person.bearer, "If-Match": tag})
        assert weak.status_code == 412
    any_version = {**person.bearer, "If-Match": "*"}
    assert (await running.client.put("/api/users/me", json={"name": "D"}, headers=any_version)).status_code == 200
    moved = {"email": new_address()}
    guarded |= await asked_again(running, person)
    assert (await running.client.put("/api/users/me", json=moved, headers=guarded)).status_code == 412


async def test_parallel_changes_all_take_effect(running: RunningApp) -> None:
    person = await signed_in(running)
    again = await asked_again(running, person)
    changes = [{"name": "Parallel"}, {"phone": "+14155550132"}, {"newsletter_opt_in": True}]
    answers = await asyncio.gather(
        *(running.client.put("/api/users/me", json=change, headers=again) for change in changes)
    )
    assert {answer.status_code for answer in answers} == {200}
    user = (await running.client.get("/api/users/me", headers=person.bearer)).json()
    assert (user["name"], user["phone"], user["newsletter_opt_in"]) == ("Parallel", "+14155550132", True)
    rows = await outbox_events(running, person.user_id)
    assert len(rows) == 4


@pytest.mark.parametrize("day", ["2999-01-01", "today"])
async def test_a_birthday_is_in_the_past(running: RunningApp, day: str) -> None:
    person = await signed_in(running)
    text = running.clock.now().date().isoformat() if day == "today" else day
    answer = await running.client.put("/api/users/me", json={"date_of_birth": text}, headers=person.bearer)
    assert (answer.status_code, rule_of(answer)) == (422, "date_of_birth_invalid")


async def test_preferences_merge(running: RunningApp) -> None:
    person = await signed_in(running)
    change = {"language": "de-AT", "notifications": {"sms_shipping": True}}
    answer = await running.client.put("/api/users/me/preferences", json=change, headers=person.bearer)
    assert answer.json() == {
        "language": "de-AT",
        "currency": "USD",
        "notifications": {"email_marketing": False, "email_orders": True, "sms_shipping": True},
    }
    read = await running.client.get("/api/users/me/preferences", headers=person.bearer)
    assert (read.json(), read.headers["etag"]) == (answer.json(), answer.headers["etag"])
    guarded = {**person.bearer, "If-Match": '"another"'}
    assert (await running.client.put("/api/users/me/preferences", json=change, headers=guarded)).status_code == 412
    again = await running.client.put("/api/users/me/preferences", json={"currency": "EUR"}, headers=person.bearer)
    assert again.json()["currency"] == "EUR"
    assert (await outbox_events(running, person.user_id))[-1]["data"]["changed_fields"] == ["preferences"]


@pytest.mark.parametrize("body", [{}, {"notifications": {"push": True}}, {"language": None}, {"theme": "dark"}])
async def test_preferences_outside_the_contract(running: RunningApp, body: dict[str, object]) -> None:
    person = await signed_in(running)
    answer = await running.client.put("/api/users/me/preferences", json=body, headers=person.bearer)
    assert answer.status_code == 400


async def test_rewards(running: RunningApp) -> None:
    person = await signed_in(running)
    patch = Patch(person.user_id, sets={"rewards": {"points": 5000, "lifetime_spend": 131_240, "currency": "USD"}})
    await running.services.store.write("users", patch, partition=person.user_id)
    answer = await running.client.get("/api/users/me/rewards", headers=person.bearer)
    assert answer.json() == {"points": 5000, "tier": "platinum", "lifetime_spend": 1312.4, "currency": "USD"}


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@cdn.example.com/a.png",
        "https://cdn.example.com\\@evil.example/a.png",
        "https:///a.png",
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://localhost/a.png",
        "https://cdn.example.com:99999/a.png",
        "https://-cdn.example.com/a.png",
        'https://cdn.example.com/"><script>',
        "https://cdn.example.com/a b.png",
        "http://cdn.example.com/a.png",
        "javascript:alert(1)",
    ],
)
async def test_an_avatar_is_an_https_address_and_nothing_else(running: RunningApp, url: str) -> None:
    person = await signed_in(running)
    answer = await running.client.put("/api/users/me", json={"avatar_url": url}, headers=person.bearer)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["faults"][0]["path"] == "/avatar_url"
    for good in ("https://cdn.example.com/a.png?x=1#y", "https://CDN.example.co.uk:8443", "https://a.xn--p1ai/%20/~a"):
        answer = await running.client.put("/api/users/me", json={"avatar_url": good}, headers=person.bearer)
        assert (answer.status_code, answer.json()["profile"]["avatar_url"]) == (200, good)
