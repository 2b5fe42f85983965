"""Guessing, enumeration, mass assignment, links and mails: each attack refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from handlers.auth.devices import known_device
from tests.support.app import RunningApp, running_app
from tests.support.people import PASSWORD, Person, asked_again, login, mails, new_address, rule_of, signed_in, signed_up

# --- guessing and enumeration ---------------------------------------------------------------------------------------


async def test_login_tells_no_address_by_status_body_or_work(running: RunningApp) -> None:
    person = await signed_up(running)
    seen = []
    for email in (person.email, new_address()):
        hashes = running.services.passwords.computed
        with reads_of(running) as reads:
            answer = await login(running, email, "wrong-password")
        body = answer.json()["error"]
        work = (running.services.passwords.computed - hashes, reads)
        seen.append((answer.status_code, body["code"], body["message"], body["details"], work))
    assert seen[0] == seen[1]
    assert seen[0][-1] == (1, ["unique_claims", "users"])


@contextmanager
def reads_of(running: RunningApp) -> Iterator[list[str]]:
    """The containers read from while the block runs, one entry for each point read."""
    seen: list[str] = []
    read = running.services.store.read

    async def counted(container: str, partition: Any, id: str) -> Any:
        seen.append(container)
        return await read(container, partition, id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.services.store, "read", counted)
        yield seen


async def test_an_impossible_password_costs_a_hash_too(running: RunningApp) -> None:
    person = await signed_up(running)
    before = running.services.passwords.computed
    answer = await login(running, person.email, "é" * 100)
    assert (answer.status_code, rule_of(answer)) == (401, "invalid_credentials")
    assert running.services.passwords.computed == before + 1


async def test_a_password_is_not_cut_at_72_bytes(running: RunningApp) -> None:
    whole = "a1B2" * 18
    person = Person((await signed_up(running, password=whole)).email, whole)
    assert (await login(running, person.email, whole + "x")).status_code == 401
    assert (await login(running, person.email, whole)).status_code == 200


@pytest.mark.parametrize("path", ["forgot-password", "resend-verification"])
async def test_asking_for_mail_answers_before_it_looks(running: RunningApp, path: str) -> None:
    person = await signed_up(running)
    answers = []
    for email in (person.email, new_address()):
        with reads_of(running) as reads:
            answers.append(await running.client.post(f"/api/auth/{path}", json={"email": email}))
            assert reads == []
        await running.services.background.drain()
    assert answers[0].text == answers[1].text
    assert {answer.status_code for answer in answers} == {202}


async def test_brute_force_of_one_account(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        for number, email in enumerate(((await signed_up(running)).email, new_address())):
            answers = [await guess(from_address(running, number), email) for _ in range(11)]
            assert [answer.status_code for answer in answers] == [401] * 10 + [429]
            assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_brute_force_of_one_account_from_everywhere(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person = await signed_up(running)
        assert 100 <= await guesses_until_refused(running, person, "198.51.100.{}") < 110


async def test_one_address_locks_nobody_out_elsewhere(tmp_path: Path, redis_url: str) -> None:
    """The attack of the review: a wrong password every few seconds, from one address."""
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person = await signed_up(running)
        statuses = {(await guess(from_address(running, 1), person.email)).status_code for _ in range(40)}
        assert statuses == {401, 429}
        assert (await guess(from_address(running, 2), person.email, person.password)).status_code == 200


async def guesses_until_refused(running: RunningApp, person: Person, base: str) -> int:
    """How often others, each from an address of its own, may be wrong. (One more for each minute that it takes.)"""
    for number in range(120):
        answer = await guess(from_address(running, number, base), person.email)
        if answer.status_code == 429:
            return number
        assert answer.status_code == 401
    raise AssertionError("nobody was refused")


async def test_a_known_device_is_not_locked_out(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person, other = await signed_up(running), await signed_up(running)
        mine = from_address(running, 1)
        assert (await guess(mine, person.email, person.password)).status_code == 200
        device = {"Cookie": f"hph_device={mine.cookies['hph_device']}"}
        assert person.email not in device["Cookie"]
        for victim, base in ((person, "10.0.1.{}"), (other, "10.0.2.{}")):
            assert await guesses_until_refused(running, victim, base) >= 100
        strangers = [{}, {"Cookie": f"hph_device={'x' * 300}"}, {"Cookie": "hph_device=a.1.b"}]
        for number, headers in enumerate(strangers):
            answer = await guess(from_address(running, 200 + number), person.email, person.password, headers=headers)
            assert answer.status_code == 429
        # What it proves is good for its account only,
        elsewhere = from_address(running, 220)
        assert (await guess(elsewhere, other.email, other.password, headers=device)).status_code == 429
        # for a number of guesses,
        right = await guess(from_address(running, 221), person.email, person.password, headers=device)
        assert right.status_code == 200
        wrong = [await guess(from_address(running, 230 + n), person.email, headers=device) for n in range(11)]
        assert [answer.status_code for answer in wrong] == [401] * 10 + [429]
        # and for 30 days.
        token, services = mine.cookies["hph_device"], running.services
        running.clock.advance(days=29)
        assert known_device(services, token, person.email, running.clock.now()) == token.split(".")[0]
        running.clock.advance(days=1)
        assert known_device(services, token, person.email, running.clock.now()) is None


async def test_a_successful_login_forgives_the_failures(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person = await signed_up(running)
        for first in (0, 100):
            for number in range(99):
                caller = from_address(running, first + number, "10.0.3.{}")
                assert (await guess(caller, person.email)).status_code == 401
            assert (
                await guess(from_address(running, 220, "10.0.3.{}"), person.email, person.password)
            ).status_code == 200


async def test_brute_force_from_one_network(tmp_path: Path, redis_url: str) -> None:
    """One customer's IPv6 network counts as one, whichever of its addresses is used."""
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        statuses = []
        for number in range(60):
            caller = from_address(running, number, base="2001:db8:77:1::{:x}")
            statuses.append((await guess(caller, new_address())).status_code)
        assert set(statuses[:10]) == {401}
        assert 429 in statuses
        assert statuses[-1] == 429


async def test_a_stolen_session_cannot_guess_the_password(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person = await signed_in(running)
        statuses = []
        for number in range(4):
            for path, method in (("password", "PUT"), ("2fa/enable", "POST"), ("reauthentication", "POST")):
                body = (
                    {"old_password": "wrong", "new_password": PASSWORD} if path == "password" else {"password": "wrong"}
                )
                caller = from_address(running, number)
                answer = await caller.request(method, f"/api/users/me/{path}", json=body, headers=person.bearer)
                statuses.append(answer.status_code)
        assert statuses == [422] * 10 + [429] * 2


async def test_strangers_cannot_flood_a_mailbox(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person = await signed_up(running)
        for number in range(8):
            caller = from_address(running, number)
            answer = await caller.post("/api/auth/forgot-password", json={"email": person.email})
            assert answer.status_code == 202
            await running.services.background.drain()
        # One at sign-up, which counts, and two more.
        assert len(await mails(running, person.email)) == 3


async def test_an_account_that_moves_to_and_fro_floods_no_mailbox(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person = await signed_in(running)
        victims = new_address(), new_address()
        statuses = []
        headers = await asked_again(running, person)
        for number in range(8):
            answer = await running.client.put("/api/users/me", json={"email": victims[number % 2]}, headers=headers)
            statuses.append(answer.status_code)
        assert statuses == [200] * 6 + [429] * 2
        assert 0 < int(answer.headers["retry-after"]) <= 600
        assert [len(await mails(running, victim)) for victim in victims] == [3, 3]


async def test_accounts_that_come_and_go_flood_no_mailbox(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        victim = new_address()
        for number in range(5):
            caller = from_address(running, number)
            body = {"name": "Dana", "email": victim, "password": PASSWORD}
            assert (await caller.post("/api/auth/signup", json=body)).status_code == 201
            session = (await guess(caller, victim, PASSWORD)).json()
            again = await asked_again(running, Person(victim, PASSWORD, session))
            assert (await running.client.delete("/api/users/me", headers=again)).status_code == 204
        # Whoever has left before the mail of the sign-up is sent is not asked to confirm any more.
        assert 2 <= len(await mails(running, victim)) <= 3


def from_address(running: RunningApp, number: int, base: str = "203.0.113.{}") -> httpx.AsyncClient:
    """A caller from an address of its own."""
    transport = httpx.ASGITransport(running.app, raise_app_exceptions=False, client=(base.format(number + 1), 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


async def guess(
    caller: httpx.AsyncClient, email: str, password: str = "wrong-password", headers: dict[str, str] | None = None
) -> httpx.Response:
    """One attempt."""
    return await caller.post("/api/auth/login", json={"email": email, "password": password}, headers=headers)


# --- mass assignment ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [
        {"role": "admin"},
        {"email_verified": True},
        {"rewards": {"points": 1_000_000}},
        {"user_id": "user-1"},
        {"token_version": 0},
        {"password_hash": "x"},
        {"two_factor": {"state": "off"}},
        {"__proto__": {}},
    ],
)
async def test_mass_assignment(running: RunningApp, extra: dict[str, Any]) -> None:
    body = {"name": "Dana", "email": new_address(), "password": PASSWORD, **extra}
    assert (await running.client.post("/api/auth/signup", json=body)).status_code == 400
    person = await signed_in(running)
    answer = await running.client.put("/api/users/me", json={"name": "Dana", **extra}, headers=person.bearer)
    assert answer.status_code == 400
    user = (await running.client.get("/api/users/me", headers=person.bearer)).json()
    assert (user["role"], user["email_verified"], user["rewards"]["points"]) == ("customer", False, 0)


# --- links and mails ------------------------------------------------------------------------------------------------


async def test_links_lead_to_the_shop_whatever_the_request_says(running: RunningApp) -> None:
    email = new_address()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Referer": "https://evil.example/"}
    body = {"name": "Dana", "email": email, "password": PASSWORD}
    assert (await running.client.post("/api/auth/signup", json=body, headers=headers)).status_code == 201
    (mail,) = await mails(running, email)
    assert "evil.example" not in json.dumps(mail)
    assert f"{running.services.settings.public_url}/auth/verify-email#token=vm-" in mail["text"]


async def test_a_name_is_text_in_mails(running: RunningApp) -> None:
    email = new_address()
    body = {"name": "<a href=https://evil.example>Dana</a>", "email": email, "password": PASSWORD}
    assert (await running.client.post("/api/auth/signup", json=body)).status_code == 201
    (mail,) = await mails(running, email)
    assert "evil.example" not in mail["html"] + mail["text"]
    assert mail["text"].startswith("Hello,\n")
    broken = {**body, "email": new_address(), "name": "Dana\r\nBcc: all@example.com"}
    assert (await running.client.post("/api/auth/signup", json=broken)).status_code == 400


async def test_no_secret_in_logs(running: RunningApp, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    caplog.set_level("DEBUG")
    person = await signed_in(running)
    await login(running, person.email, "wrong-password")
    text = caplog.text + "".join(capfd.readouterr())
    for secret in (person.email, person.password, person.session["access_token"], person.session["refresh_token"]):
        assert secret not in text
