"""Changing the e-mail address: the old one stays until the new one is proven, and may undo it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from handlers.platform.clock import timestamp
from handlers.platform.store.claims import CLAIMS, key_of
from handlers.platform.store.port import Create, Delete
from tests.support.app import RunningApp
from tests.support.people import (
    PASSWORD,
    Person,
    asked_again,
    login,
    mailed_token,
    mails,
    new_address,
    outbox_events,
    rule_of,
    signed_in,
    signed_up,
)
from tests.users.test_two_factor import challenged, code, enrolled


async def verified(running: RunningApp) -> Person:
    """A signed-in person whose address is proven."""
    person = await signed_up(running)
    await prove(running, person.email)
    return await signed_in(running, person)


async def prove(running: RunningApp, address: str) -> httpx.Response:
    body = {"token": await mailed_token(running, address)}
    return await running.client.post("/api/auth/verify-email", json=body)


async def ask(running: RunningApp, person: Person, address: str, **more: Any) -> httpx.Response:
    """Asks for another address as the owner does."""
    headers = {**await asked_again(running, person), **more}
    return await running.client.put("/api/users/me", json={"email": address}, headers=headers)


async def undo(running: RunningApp, token: str) -> httpx.Response:
    return await running.client.post("/api/auth/undo-email-change", json={"token": token})


async def forgot(running: RunningApp, address: str) -> int:
    """How many links to set a password come to an address that asks for one."""
    before = len([mail for mail in await mails(running, address) if "#token=pr-" in mail["text"]])
    await running.client.post("/api/auth/forgot-password", json={"email": address})
    return len([mail for mail in await mails(running, address) if "#token=pr-" in mail["text"]]) - before


async def test_a_stolen_access_token_does_not_take_the_account_over(running: RunningApp) -> None:
    """The attack of the review: another address, forgotten password, login without second factor."""
    person, secret, _ = await enrolled(running)
    mine = new_address()
    answer = await running.client.put("/api/users/me", json={"email": mine}, headers=person.bearer)
    assert (answer.status_code, rule_of(answer)) == (403, "reauthentication_required")
    assert await forgot(running, mine) == 0
    for body, rule in (
        ({}, "invalid_credentials"),
        ({"password": "wrong-password"}, "invalid_credentials"),
        ({"password": person.password}, "mfa_required"),
        ({"password": person.password, "code": "AAAAA-AAAAA"}, "mfa_code_invalid"),
    ):
        refused = await running.client.post("/api/users/me/reauthentication", json=body, headers=person.bearer)
        assert (refused.status_code, rule_of(refused)) == (422, rule)
    headers = await asked_again(running, person, code=code(running, secret))
    assert (await running.client.put("/api/users/me", json={"email": mine}, headers=headers)).status_code == 200
    assert await forgot(running, mine) == 0
    assert (await prove(running, mine)).status_code == 200
    await challenged(running, Person(mine, person.password))


async def test_the_token_of_asking_again_serves_its_session_for_five_minutes(running: RunningApp) -> None:
    person = await verified(running)
    mine = await asked_again(running, person)
    other = await signed_in(running, Person(person.email))
    stranger = await asked_again(running, await signed_in(running))
    wanted = {"phone": "+14155550132"}
    for token in (mine["X-Reauthentication"], stranger["X-Reauthentication"], other.session["access_token"], "x.y.z"):
        headers = {**other.bearer, "X-Reauthentication": token}
        answer = await running.client.put("/api/users/me", json=wanted, headers=headers)
        assert (answer.status_code, rule_of(answer)) == (403, "reauthentication_required")
    running.clock.advance(seconds=301)
    assert (await running.client.put("/api/users/me", json=wanted, headers=mine)).status_code == 403
    again = await asked_again(running, person)
    assert (await running.client.put("/api/users/me", json=wanted, headers=again)).status_code == 200
    assert "telephone" in (await mails(running, person.email))[0]["subject"]
    bearer = {"Authorization": f"Bearer {again['X-Reauthentication']}"}
    assert (await running.client.get("/api/users/me", headers=bearer)).status_code == 401


async def test_the_old_address_stays_in_force_until_the_new_one_is_proven(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    answer = await ask(running, person, new)
    assert (answer.json()["email"], answer.json()["pending_email"]) == (person.email, new)
    assert answer.json()["email_verified"] is True
    told = (await mails(running, person.email))[0]
    assert "#token=um-" in told["text"]
    assert new not in told["text"]
    assert (await login(running, person.email, person.password)).status_code == 200
    assert (await login(running, new, person.password)).status_code == 401
    assert (await prove(running, new)).json() == {"email": new, "email_verified": True}
    event = (await outbox_events(running, person.user_id))[-1]
    assert event["data"]["changed_fields"] == ["email"]
    assert new not in str(event)
    assert (await login(running, person.email, person.password)).status_code == 401
    user = (await login(running, new, person.password)).json()["user"]
    assert (user["email"], user["email_verified"], "pending_email" in user) == (new, True, False)
    refreshed = await running.client.post("/api/auth/refresh", json={"refresh_token": person.session["refresh_token"]})
    assert rule_of(refreshed) == "token_invalid"


async def test_a_link_that_is_too_old_changes_nothing(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    token = await mailed_token(running, new)
    running.clock.advance(hours=25)
    answer = await running.client.post("/api/auth/verify-email", json={"token": token})
    assert rule_of(answer) == "token_expired"
    assert (await login(running, person.email, person.password)).status_code == 200


async def test_the_old_address_undoes_the_change_for_72_hours(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    link = await mailed_token(running, person.email, "um-")
    await prove(running, new)
    thief = await signed_in(running, Person(new, person.password))
    running.clock.advance(hours=71)
    thief = await signed_in(running, Person(new, person.password))
    taken = {"name": "X", "email": person.email, "password": PASSWORD}
    assert rule_of(await running.client.post("/api/auth/signup", json=taken)) == "email_taken"
    assert (await undo(running, link)).json() == {"email": person.email, "email_verified": True}
    refreshed = await running.client.post("/api/auth/refresh", json={"refresh_token": thief.session["refresh_token"]})
    assert rule_of(refreshed) == "token_invalid"
    for address in (new, person.email):
        assert (await login(running, address, person.password)).status_code == 401
    reset = {"token": await mailed_token(running, person.email, "pr-"), "new_password": "Another-Mountain#43"}
    assert (await running.client.post("/api/auth/reset-password", json=reset)).status_code == 200
    owner = await login(running, person.email, "Another-Mountain#43")
    assert owner.json()["user"]["user_id"] == person.user_id
    assert rule_of(await undo(running, link)) == "token_invalid"
    await signed_up(running, new)


async def test_after_72_hours_the_old_address_is_free(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    link = await mailed_token(running, person.email, "um-")
    await prove(running, new)
    running.clock.advance(hours=73)
    assert rule_of(await undo(running, link)) == "token_expired"
    await signed_up(running, person.email)
    assert (await login(running, new, person.password)).status_code == 200


async def test_undoing_before_the_proof_ends_the_sessions_and_the_links(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    token, link = await mailed_token(running, new), await mailed_token(running, person.email, "um-")
    assert (await undo(running, link)).status_code == 200
    assert rule_of(await running.client.post("/api/auth/verify-email", json={"token": token})) == "token_invalid"
    assert (await login(running, person.email, person.password)).status_code == 401


async def test_a_new_password_calls_a_waiting_change_off(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    token = await mailed_token(running, new)
    body = {"old_password": person.password, "new_password": "Another-Mountain#43"}
    assert (await running.client.put("/api/users/me/password", json=body, headers=person.bearer)).status_code == 204
    assert rule_of(await running.client.post("/api/auth/verify-email", json={"token": token})) == "token_invalid"


async def test_the_address_in_force_calls_a_waiting_change_off(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    token = await mailed_token(running, new)
    off = await running.client.put("/api/users/me", json={"email": person.email}, headers=person.bearer)
    assert "pending_email" not in off.json()
    assert rule_of(await running.client.post("/api/auth/verify-email", json={"token": token})) == "token_invalid"


async def test_a_taken_address_changes_nothing(running: RunningApp) -> None:
    mine, other = await verified(running), await signed_up(running)
    answer = await ask(running, mine, other.email)
    assert (answer.status_code, rule_of(answer)) == (409, "email_taken")
    assert (await login(running, mine.email, mine.password)).status_code == 200


async def test_an_address_that_somebody_took_meanwhile(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    token = await mailed_token(running, new)
    await signed_up(running, new)
    answer = await running.client.post("/api/auth/verify-email", json={"token": token})
    assert (answer.status_code, rule_of(answer)) == (409, "email_taken")
    assert (await login(running, person.email, person.password)).status_code == 200


async def test_of_many_who_want_one_address_the_first_to_prove_it_gets_it(running: RunningApp) -> None:
    people = [await verified(running) for _ in range(3)]
    wanted = new_address()
    tokens = []
    for person in people:
        assert (await ask(running, person, wanted)).status_code == 200
        tokens.append(await mailed_token(running, wanted))
    answers = await asyncio.gather(
        *(running.client.post("/api/auth/verify-email", json={"token": token}) for token in tokens)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_the_own_address_of_yesterday_can_be_taken_again(running: RunningApp) -> None:
    person, new = await verified(running), new_address()
    first = person.email
    await ask(running, person, new)
    await prove(running, new)
    person = await signed_in(running, Person(new))
    assert (await ask(running, person, first)).status_code == 200
    assert (await prove(running, first)).json()["email"] == first
    assert (await login(running, first, PASSWORD)).status_code == 200
    key = key_of("email", first)
    claim = await running.services.store.read(CLAIMS, key, key)
    assert claim is not None
    assert claim.data["state"] == "held"


async def test_a_claim_that_a_crash_left_pending_is_settled(running: RunningApp) -> None:
    """The account has moved, and its new address is still claimed as pending: it stays the account's."""
    person, new = await verified(running), new_address()
    await ask(running, person, new)
    await prove(running, new)
    key, store = key_of("email", new), running.services.store
    standing = await store.read(CLAIMS, key, key)
    assert standing is not None
    await store.write(CLAIMS, Delete(key), partition=key)
    left = {**standing.data, "state": "pending", "claimed_at": timestamp(running.clock.now())}
    await store.write(CLAIMS, Create(left))
    running.clock.advance(minutes=2)
    body = {"name": "X", "email": new, "password": PASSWORD}
    assert rule_of(await running.client.post("/api/auth/signup", json=body)) == "email_taken"


async def test_a_refused_change_keeps_the_old_address_claimed(running: RunningApp) -> None:
    person = await verified(running)
    answer = await ask(running, person, new_address(), **{"If-Match": '"old"'})
    assert answer.status_code == 412
    key = key_of("email", person.email)
    claim = await running.services.store.read(CLAIMS, key, key)
    assert claim is not None
    assert claim.data["state"] == "held"
