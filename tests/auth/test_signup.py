"""Signing up and proving the address."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.app import RunningApp
from tests.support.people import (
    PASSWORD,
    login,
    mailed_token,
    mails,
    new_address,
    outbox_events,
    rule_of,
    signed_in,
    signed_up,
)


def body_for(email: str, **more: object) -> dict[str, object]:
    return {"name": "Dana Whitfield", "email": email, "password": PASSWORD, **more}


async def test_signup_answers_the_account_and_emits_user_created(running: RunningApp) -> None:
    email = new_address()
    answer = await running.client.post("/api/auth/signup", json=body_for(email, newsletter_opt_in=True))
    assert answer.status_code == 201
    user = answer.json()
    assert answer.headers["etag"]
    assert (user["email"], user["role"], user["email_verified"]) == (email, "customer", False)
    assert user["profile"]["preferences"]["notifications"]["email_marketing"] is True
    (event,) = await outbox_events(running, user["user_id"])
    assert event["event_type"] == "UserCreated"
    assert event["correlation_id"] == answer.headers["x-request-id"]
    assert event["data"] == {"user_id": user["user_id"], "role": "customer", "newsletter_opt_in": True}


@pytest.mark.parametrize("variant", ["{0}", "Dana.{1}", "DANA.{1}", "ｄana.{1}"])
async def test_an_address_can_sign_up_once_whatever_its_looks(running: RunningApp, variant: str) -> None:
    rest = new_address()
    first = f"dana.{rest}"
    await signed_up(running, first)
    answer = await running.client.post("/api/auth/signup", json=body_for(variant.format(first, rest)))
    assert (answer.status_code, rule_of(answer)) == (409, "email_taken")


async def test_dots_and_tags_make_another_address(running: RunningApp) -> None:
    rest = new_address()
    for address in (f"da.na{rest}", f"dana{rest}", f"da+na{rest}"):
        await signed_up(running, address)


async def test_a_domain_and_its_ascii_form_are_one(running: RunningApp) -> None:
    local = new_address().partition("@")[0]
    await signed_up(running, f"{local}@bücher.example")
    answer = await running.client.post("/api/auth/signup", json=body_for(f"{local}@XN--bcher-kva.example"))
    assert rule_of(answer) == "email_taken"


async def test_parallel_signups_make_one_account(running: RunningApp) -> None:
    email = new_address()
    answers = await asyncio.gather(*(running.client.post("/api/auth/signup", json=body_for(email)) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("password1", "password_too_common"),
        ("PASSWORD1", "password_too_common"),
        ("ééééééééééééééééééééééééééééééééééééé", "password_too_long"),
    ],
)
async def test_passwords_that_break_a_rule(running: RunningApp, password: str, rule: str) -> None:
    answer = await running.client.post("/api/auth/signup", json=body_for(new_address(), password=password))
    assert (answer.status_code, rule_of(answer)) == (422, rule)


async def test_a_refused_signup_leaves_the_address_free(running: RunningApp) -> None:
    email = new_address()
    refused = await running.client.post("/api/auth/signup", json=body_for(email, password=f"x{email}"))
    assert rule_of(refused) == "password_contains_email"
    await signed_up(running, email)


@pytest.mark.parametrize(
    "email", ["nobody", "a@localhost", "a b@example.com", "a@example.com\nBcc: b@example.com", "ü@example.com"]
)
async def test_what_is_no_address_is_refused_with_its_place(running: RunningApp, email: str) -> None:
    answer = await running.client.post("/api/auth/signup", json=body_for(email))
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["faults"][0]["path"] == "/email"


async def test_the_mailed_link_verifies_the_address_once(running: RunningApp) -> None:
    person = await signed_up(running)
    token = await mailed_token(running, person.email)
    answer = await running.client.post("/api/auth/verify-email", json={"token": token})
    assert answer.json() == {"email": person.email, "email_verified": True}
    await signed_in(running, person)
    assert person.session["user"]["email_verified"] is True
    assert (await outbox_events(running, person.user_id))[-1]["data"]["changed_fields"] == ["email_verified"]
    again = await running.client.post("/api/auth/verify-email", json={"token": token})
    assert (again.status_code, rule_of(again)) == (422, "token_invalid")


async def test_parallel_use_of_a_token_works_once(running: RunningApp) -> None:
    person = await signed_up(running)
    token = await mailed_token(running, person.email)
    answers = await asyncio.gather(
        *(running.client.post("/api/auth/verify-email", json={"token": token}) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422]


async def test_an_old_link_says_so(running: RunningApp) -> None:
    person = await signed_up(running)
    token = await mailed_token(running, person.email)
    running.clock.advance(hours=25)
    answer = await running.client.post("/api/auth/verify-email", json={"token": token})
    assert (answer.status_code, rule_of(answer)) == (422, "token_expired")


async def test_a_new_mail_takes_the_force_from_the_one_before(running: RunningApp) -> None:
    person = await signed_up(running)
    first = await mailed_token(running, person.email)
    answer = await running.client.post("/api/auth/resend-verification", json={"email": person.email.upper()})
    assert answer.status_code == 202
    second = await mailed_token(running, person.email)
    assert second != first
    old = await running.client.post("/api/auth/verify-email", json={"token": first})
    assert rule_of(old) == "token_invalid"
    assert (await running.client.post("/api/auth/verify-email", json={"token": second})).status_code == 200


async def test_resending_answers_the_same_for_everybody(running: RunningApp) -> None:
    person = await signed_up(running)
    await running.client.post("/api/auth/verify-email", json={"token": await mailed_token(running, person.email)})
    unverified = await signed_up(running)
    before = len(await mails(running, person.email))
    answers = [
        await running.client.post("/api/auth/resend-verification", json={"email": email})
        for email in (person.email, unverified.email, new_address())
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert len(await mails(running, person.email)) == before
    assert len(await mails(running, unverified.email)) == 2


async def test_an_unverified_user_may_log_in(running: RunningApp) -> None:
    person = await signed_up(running)
    assert (await login(running, person.email, person.password)).status_code == 200


async def test_the_stored_account_holds_no_readable_secret(running: RunningApp) -> None:
    person = await signed_in(running)
    stored = await running.services.store.read("users", person.user_id, person.user_id)
    assert stored is not None
    token = await mailed_token(running, person.email)
    assert person.password.encode() not in stored.raw
    assert token.encode() not in stored.raw
    assert stored.data["password_hash"].startswith("$2b$04$")
