"""The second factor: switching on and off, and logging in with it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp

from handlers.platform.store.port import Patch
from handlers.settings import Settings
from tests.support.app import RunningApp, running_app
from tests.support.people import Person, asked_again, login, mailed_token, mails, rule_of, signed_in


async def post(running: RunningApp, person: Person, path: str, **body: Any) -> Any:
    return await running.client.post(f"/api/users/me/2fa/{path}", json=body, headers=person.bearer)


def code(running: RunningApp, secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(running.clock.now() + timedelta(seconds=30 * steps))


async def enrolled(running: RunningApp) -> tuple[Person, str, list[str]]:
    """A person with a second factor, its secret and recovery codes; the next time step has begun."""
    person = await signed_in(running)
    setup = await post(running, person, "enable", password=person.password)
    assert setup.status_code == 200, setup.text
    secret = setup.json()["secret"]
    verified = await post(running, person, "verify", code=code(running, secret))
    assert verified.status_code == 200, verified.text
    running.clock.advance(seconds=30)
    return person, secret, verified.json()["recovery_codes"]


async def challenged(running: RunningApp, person: Person) -> str:
    answer = await login(running, person.email, person.password)
    assert answer.json().keys() == {"mfa_required", "mfa_token", "mfa_expires_in"}
    assert "set-cookie" not in answer.headers
    return str(answer.json()["mfa_token"])


async def complete(running: RunningApp, token: str, given: str) -> Any:
    async with running.new_client() as client:
        return await client.post("/api/auth/mfa", json={"mfa_token": token, "code": given})


async def test_switching_on(running: RunningApp) -> None:
    person = await signed_in(running)
    assert rule_of(await post(running, person, "verify", code="123456")) == "two_factor_not_enabled"
    assert rule_of(await post(running, person, "enable", password="wrong")) == "invalid_credentials"
    first = (await post(running, person, "enable", password=person.password)).json()
    second = (await post(running, person, "enable", password=person.password)).json()
    assert first["secret"] != second["secret"]
    assert person.email.replace("@", "%40") in second["otpauth_uri"]
    assert (await login(running, person.email, person.password)).json()["mfa_required"] is False
    wrong = await post(running, person, "verify", code=code(running, first["secret"]))
    assert (wrong.status_code, rule_of(wrong)) == (422, "mfa_code_invalid")
    done = await post(running, person, "verify", code=code(running, second["secret"]))
    assert done.json()["two_factor_enabled"] is True
    assert len(set(done.json()["recovery_codes"])) == 10
    assert rule_of(await post(running, person, "enable", password=person.password)) == "two_factor_already_enabled"
    assert rule_of(await post(running, person, "verify", code="123456")) == "two_factor_already_enabled"
    me = (await running.client.get("/api/users/me", headers=person.bearer)).json()
    assert me["two_factor_enabled"] is True


async def test_neither_secret_nor_codes_are_stored_readable(running: RunningApp) -> None:
    person, secret, codes = await enrolled(running)
    stored = await running.services.store.read("users", person.user_id, person.user_id)
    assert stored is not None
    text = stored.raw.decode()
    assert secret not in text
    assert not any(one in text or one.replace("-", "") in text for one in codes)


async def test_login_takes_two_steps(running: RunningApp) -> None:
    person, secret, _ = await enrolled(running)
    token = await challenged(running, person)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await running.client.get("/api/users/me", headers=bearer)).status_code == 401
    answer = await complete(running, token, code(running, secret))
    assert answer.status_code == 200
    assert answer.json()["user"]["two_factor_enabled"] is True
    assert len(answer.headers.get_list("set-cookie")) == 4


async def test_a_code_is_accepted_once(running: RunningApp) -> None:
    person, secret, _ = await enrolled(running)
    given = code(running, secret)
    tokens = [await challenged(running, person) for _ in range(4)]
    answers = await asyncio.gather(*(complete(running, token, given) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_the_code_that_switched_it_on_does_not_log_in(running: RunningApp) -> None:
    person = await signed_in(running)
    secret = (await post(running, person, "enable", password=person.password)).json()["secret"]
    given = code(running, secret)
    await post(running, person, "verify", code=given)
    assert rule_of(await complete(running, await challenged(running, person), given)) == "mfa_code_invalid"


async def test_clocks_may_be_one_step_apart_and_no_more(running: RunningApp) -> None:
    person, secret, _ = await enrolled(running)
    running.clock.advance(minutes=5)
    for steps, status in ((2, 401), (-2, 401), (1, 200)):
        given = code(running, secret, steps=steps)
        assert (await complete(running, await challenged(running, person), given)).status_code == status


async def test_a_recovery_code_is_accepted_once_in_any_case(running: RunningApp) -> None:
    person, _, codes = await enrolled(running)
    given = codes[3].lower().replace("-", "")
    assert (await complete(running, await challenged(running, person), given)).status_code == 200
    again = await complete(running, await challenged(running, person), codes[3])
    assert (again.status_code, rule_of(again)) == (401, "mfa_code_invalid")
    assert (await complete(running, await challenged(running, person), codes[4])).status_code == 200


async def test_signing_in_by_a_recovery_code_is_told_to_the_owner(running: RunningApp) -> None:
    person, secret, codes = await enrolled(running)
    proven = Patch(person.user_id, sets={"email_verified": True})
    await running.services.store.write("users", proven, partition=person.user_id)
    for given, told in ((code(running, secret, steps=1), 0), (codes[0], 1)):
        assert (await complete(running, await challenged(running, person), given)).status_code == 200
        subjects = [mail["subject"] for mail in await mails(running, person.email)]
        assert len([subject for subject in subjects if "recovery code was used" in subject]) == told


async def test_a_challenge_ends_with_its_fifth_wrong_code(running: RunningApp) -> None:
    person, secret, _ = await enrolled(running)
    token = await challenged(running, person)
    rules = [rule_of(await complete(running, token, "AAAAA-AAAAA")) for _ in range(5)]
    assert rules == ["mfa_code_invalid"] * 4 + ["mfa_attempts_exceeded"]
    assert rule_of(await complete(running, token, code(running, secret))) == "mfa_attempts_exceeded"


async def test_parallel_tries_are_not_more_than_five(running: RunningApp) -> None:
    person, _, _ = await enrolled(running)
    token = await challenged(running, person)
    answers = await asyncio.gather(*(complete(running, token, "AAAAA-AAAAA") for _ in range(12)))
    rules = [rule_of(answer) for answer in answers]
    assert rules.count("mfa_code_invalid") == 4
    assert rules.count("mfa_attempts_exceeded") == 8


async def test_a_challenge_is_good_once_and_for_five_minutes(running: RunningApp) -> None:
    person, secret, codes = await enrolled(running)
    token = await challenged(running, person)
    assert (await complete(running, token, code(running, secret))).status_code == 200
    assert (await complete(running, token, codes[0])).status_code == 401
    old = await challenged(running, person)
    running.clock.advance(minutes=6)
    assert rule_of(await complete(running, old, code(running, secret))) == "token_expired"
    fresh = await running.client.post("/api/auth/guest")
    assert rule_of(await complete(running, fresh.json()["access_token"], "123456")) == "token_invalid"


async def test_a_challenge_dies_with_a_password_change(running: RunningApp) -> None:
    person, secret, codes = await enrolled(running)
    token = await challenged(running, person)
    body = {"old_password": person.password, "new_password": "Another-Mountain#43"}
    bare = await running.client.put("/api/users/me/password", json=body, headers=person.bearer)
    assert (bare.status_code, rule_of(bare)) == (422, "mfa_required")
    body["code"] = codes[0]
    assert (await running.client.put("/api/users/me/password", json=body, headers=person.bearer)).status_code == 204
    subjects = [mail["subject"] for mail in await mails(running, person.email)][:2]
    assert any("recovery code was used" in subject for subject in subjects)
    assert rule_of(await complete(running, token, code(running, secret))) == "token_invalid"


async def reset(running: RunningApp, person: Person) -> None:
    """Sets another password by a mailed link."""
    await running.client.post("/api/auth/forgot-password", json={"email": person.email})
    token = await mailed_token(running, person.email, "pr-")
    person.password = "Another-Mountain#43"
    body = {"token": token, "new_password": person.password}
    assert (await running.client.post("/api/auth/reset-password", json=body)).status_code == 200


async def test_a_reset_leaves_the_second_factor_on(running: RunningApp) -> None:
    person, _, _ = await enrolled(running)
    token = await mailed_token(running, person.email)
    assert (await running.client.post("/api/auth/verify-email", json={"token": token})).status_code == 200
    await reset(running, person)
    await challenged(running, person)


async def test_who_owns_the_mailbox_is_not_locked_out_by_who_signed_up_with_it(running: RunningApp) -> None:
    squatter, _, _ = await enrolled(running)
    owner = Person(squatter.email)
    await reset(running, owner)
    assert (await login(running, squatter.email, squatter.password)).status_code == 401
    answer = await login(running, owner.email, owner.password)
    assert answer.json()["mfa_required"] is False
    assert answer.json()["user"]["two_factor_enabled"] is False


async def test_switching_off(running: RunningApp) -> None:
    person, secret, codes = await enrolled(running)
    assert (await post(running, person, "disable", password=person.password)).status_code == 400
    assert rule_of(await post(running, person, "disable", password="wrong", code=codes[0])) == "invalid_credentials"
    wrong = await post(running, person, "disable", password=person.password, code="AAAAA-AAAAA")
    assert (wrong.status_code, rule_of(wrong)) == (422, "mfa_code_invalid")
    done = await post(running, person, "disable", password=person.password, code=code(running, secret))
    assert done.status_code == 204
    assert "is off" in (await mails(running, person.email))[0]["subject"]
    again = await post(running, person, "disable", password=person.password, code=codes[0])
    assert (again.status_code, rule_of(again)) == (409, "two_factor_not_enabled")
    assert (await login(running, person.email, person.password)).json()["mfa_required"] is False
    assert (await post(running, person, "enable", password=person.password)).status_code == 200


async def test_new_recovery_codes_need_the_owner_and_replace_the_old_ones(running: RunningApp) -> None:
    person, secret, codes = await enrolled(running)
    refused = await post(running, person, "recovery-codes")
    assert (refused.status_code, rule_of(refused)) == (403, "reauthentication_required")
    headers = await asked_again(running, person, code=code(running, secret))
    answer = await running.client.post("/api/users/me/2fa/recovery-codes", headers=headers)
    fresh = answer.json()["recovery_codes"]
    assert len({*fresh, *codes}) == 20
    assert "recovery codes were replaced" in (await mails(running, person.email))[0]["subject"]
    assert (await complete(running, await challenged(running, person), codes[0])).status_code == 401
    assert (await complete(running, await challenged(running, person), fresh[0])).status_code == 200
    plain = await signed_in(running)
    headers = await asked_again(running, plain)
    none = await running.client.post("/api/users/me/2fa/recovery-codes", headers=headers)
    assert (none.status_code, rule_of(none)) == (409, "two_factor_not_enabled")


async def test_switching_on_is_told_by_mail(running: RunningApp) -> None:
    person, _, _ = await enrolled(running)
    assert "is on" in (await mails(running, person.email))[0]["subject"]


async def test_guessing_codes_with_the_right_password_ends(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, RATE_LIMIT_SCALE="1") as running:
        person, _, _ = await enrolled(running)
        body = {"password": person.password, "code": "AAAAA-AAAAA"}
        statuses = []
        for number in range(12):
            path = ("reauthentication", "2fa/disable", "password")[number % 3]
            sent = {**body, "old_password": person.password, "new_password": "Another-Mountain#43"}
            keys = ("old_password", "new_password", "code") if path == "password" else ("password", "code")
            answer = await running.client.request(
                "PUT" if path == "password" else "POST",
                f"/api/users/me/{path}",
                json={key: sent[key] for key in keys},
                headers=person.bearer,
            )
            statuses.append(answer.status_code)
        assert statuses == [422] * 10 + [429] * 2


async def test_staff_enrol_a_second_factor_at_their_first_sign_in(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url, STAFF_SECOND_FACTOR="true") as running:
        person = await signed_in(running)
        assert "mfa_enrolment_required" not in person.session
        patch = Patch(person.user_id, sets={"role": "staff"})
        await running.services.store.write("users", patch, partition=person.user_id)
        person = await signed_in(running, person)
        assert (person.session["mfa_enrolment_required"], person.session["user"]["role"]) == (True, "staff")
        refused = await running.client.get("/api/staff/orders", headers=person.bearer)
        assert (refused.status_code, rule_of(refused)) == (403, "mfa_enrolment_required")
        assert (await running.client.get("/api/users/me", headers=person.bearer)).status_code == 200
        secret = (await post(running, person, "enable", password=person.password)).json()["secret"]
        assert (await post(running, person, "verify", code=code(running, secret))).status_code == 200
        # The token goes on with what it may; the next one may all.
        assert (await running.client.get("/api/users/me", headers=person.bearer)).status_code == 200
        body = {"refresh_token": person.session["refresh_token"]}
        person.session = (await running.client.post("/api/auth/refresh", json=body)).json()
        assert "mfa_enrolment_required" not in person.session
        assert (await running.client.get("/api/staff/orders", headers=person.bearer)).status_code == 200
        running.clock.advance(seconds=30)
        off = await post(running, person, "disable", password=person.password, code=code(running, secret))
        assert off.status_code == 204
        assert (await running.client.get("/api/staff/orders", headers=person.bearer)).status_code == 401


def test_production_asks_staff_for_a_second_factor() -> None:
    assert Settings(env="production").staff_second_factor is True
    assert Settings(env="local").staff_second_factor is False
