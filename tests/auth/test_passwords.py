"""Forgotten and changed passwords."""

from __future__ import annotations

import asyncio

from tests.support.app import RunningApp
from tests.support.people import (
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

NEW = "Another-Mountain#43"


async def asked(running: RunningApp, email: str) -> None:
    answer = await running.client.post("/api/auth/forgot-password", json={"email": email})
    assert answer.status_code == 202
    await running.services.background.drain()


async def test_a_mailed_link_sets_a_new_password_and_ends_every_session(running: RunningApp) -> None:
    person = await signed_in(running)
    await asked(running, person.email.upper())
    token = await mailed_token(running, person.email, "pr-")
    answer = await running.client.post("/api/auth/reset-password", json={"token": token, "new_password": NEW})
    assert answer.json() == {"email": person.email, "email_verified": True}
    assert (await login(running, person.email, person.password)).status_code == 401
    body = (await login(running, person.email, NEW)).json()
    assert body["user"]["email_verified"] is True
    refreshed = await running.client.post("/api/auth/refresh", json={"refresh_token": person.session["refresh_token"]})
    assert rule_of(refreshed) == "token_invalid"
    changed = (await outbox_events(running, person.user_id))[-1]["data"]["changed_fields"]
    assert changed == ["password", "email_verified"]
    assert "password was changed" in (await mails(running, person.email))[0]["subject"]


async def test_a_reset_token_works_once_and_for_an_hour(running: RunningApp) -> None:
    person = await signed_up(running)
    await asked(running, person.email)
    token = await mailed_token(running, person.email, "pr-")
    body = {"token": token, "new_password": NEW}
    answers = await asyncio.gather(*(running.client.post("/api/auth/reset-password", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    assert rule_of(await running.client.post("/api/auth/reset-password", json=body)) == "token_invalid"
    await asked(running, person.email)
    body["token"] = await mailed_token(running, person.email, "pr-")
    running.clock.advance(minutes=61)
    assert rule_of(await running.client.post("/api/auth/reset-password", json=body)) == "token_expired"


async def test_a_refused_password_does_not_use_the_token_up(running: RunningApp) -> None:
    person = await signed_up(running)
    await asked(running, person.email)
    token = await mailed_token(running, person.email, "pr-")
    for password, rule in (
        ("password1", "password_too_common"),
        (f"{person.email}1", "password_contains_email"),
        ("Whitfield-42", "password_contains_name"),
    ):
        answer = await running.client.post("/api/auth/reset-password", json={"token": token, "new_password": password})
        assert (answer.status_code, rule_of(answer)) == (422, rule)
    answer = await running.client.post("/api/auth/reset-password", json={"token": token, "new_password": NEW})
    assert answer.status_code == 200


async def test_tokens_of_one_purpose_do_not_serve_another(running: RunningApp) -> None:
    person = await signed_up(running)
    verify = await mailed_token(running, person.email)
    answer = await running.client.post("/api/auth/reset-password", json={"token": verify, "new_password": NEW})
    assert rule_of(answer) == "token_invalid"
    await asked(running, person.email)
    reset = await mailed_token(running, person.email, "pr-")
    assert rule_of(await running.client.post("/api/auth/verify-email", json={"token": reset})) == "token_invalid"


async def test_a_link_to_the_old_mailbox_is_dead_once_the_address_changed(running: RunningApp) -> None:
    person = await signed_in(running)
    await asked(running, person.email)
    token = await mailed_token(running, person.email, "pr-")
    new = new_address()
    headers = await asked_again(running, person)
    await running.client.put("/api/users/me", json={"email": new}, headers=headers)
    proof = {"token": await mailed_token(running, new)}
    assert (await running.client.post("/api/auth/verify-email", json=proof)).status_code == 200
    answer = await running.client.post("/api/auth/reset-password", json={"token": token, "new_password": NEW})
    assert rule_of(answer) == "token_invalid"


async def test_changing_the_password_needs_the_old_one(running: RunningApp) -> None:
    person = await signed_in(running)

    async def change(old: str, new: str) -> tuple[int, str | None]:
        body = {"old_password": old, "new_password": new}
        answer = await running.client.put("/api/users/me/password", json=body, headers=person.bearer)
        return answer.status_code, rule_of(answer) if answer.status_code >= 400 else None

    assert await change("wrong-password", NEW) == (422, "invalid_credentials")
    assert await change(person.password, person.password) == (422, "password_unchanged")
    assert await change(person.password, "password1") == (422, "password_too_common")
    assert await change(person.password, "é" * 37) == (422, "password_too_long")
    assert await change(person.password, NEW) == (204, None)
    assert (await login(running, person.email, NEW)).status_code == 200
    refreshed = await running.client.post("/api/auth/refresh", json={"refresh_token": person.session["refresh_token"]})
    assert refreshed.status_code == 401
    assert (await running.client.get("/api/users/me", headers=person.bearer)).status_code == 401


async def test_of_parallel_changes_one_wins(running: RunningApp) -> None:
    person = await signed_in(running)
    bodies = [{"old_password": person.password, "new_password": f"{NEW}-{number}"} for number in range(4)]
    answers = await asyncio.gather(
        *(running.client.put("/api/users/me/password", json=body, headers=person.bearer) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422]
