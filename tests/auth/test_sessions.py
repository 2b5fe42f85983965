"""Logging in, going on, logging out: sessions over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import httpx
import pytest

from generated import views as v
from handlers.auth.rules import session_cookies
from handlers.auth.sessions import Sessions
from tests.support.app import ORIGIN, RunningApp, running_app
from tests.support.people import Person, asked_again, browser, login, new_address, rule_of, signed_in, signed_up


async def refresh(running: RunningApp, token: str | None) -> httpx.Response:
    async with running.new_client() as client:
        return await client.post("/api/auth/refresh", json={"refresh_token": token} if token else None)


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    lines = answer.headers.get_list("set-cookie")
    return {line.split("=")[0]: line for line in lines}


async def test_login_gives_tokens_and_cookies(running: RunningApp) -> None:
    person = await signed_up(running)
    answer = await login(running, person.email.upper(), person.password)
    body = answer.json()
    assert (body["mfa_required"], body["token_type"], body["expires_in"]) == (False, "Bearer", 900)
    assert body["refresh_expires_in"] == 604_800
    assert body["user"]["last_login"] is not None
    cookies = set_cookies(answer)
    assert set(cookies) == {"hph_access", "hph_refresh", "hph_csrf", "hph_device"}
    assert "HttpOnly" in cookies["hph_device"]
    assert "Path=/api/auth;" in cookies["hph_device"]
    assert all("SameSite=Lax" in line for line in cookies.values())
    assert "HttpOnly" in cookies["hph_access"]
    assert "HttpOnly" in cookies["hph_refresh"]
    assert "HttpOnly" not in cookies["hph_csrf"]
    assert "Path=/api/auth;" in cookies["hph_refresh"]
    assert answer.headers["cache-control"] == "no-store"


async def test_the_access_token_ends_after_15_minutes(running: RunningApp) -> None:
    person = await signed_in(running)
    running.clock.advance(minutes=14)
    assert (await running.client.get("/api/users/me", headers=person.bearer)).status_code == 200
    running.clock.advance(minutes=2)
    answer = await running.client.get("/api/users/me", headers=person.bearer)
    assert (answer.status_code, rule_of(answer)) == (401, "token_expired")


async def test_refresh_goes_on_with_the_session(running: RunningApp) -> None:
    person = await signed_in(running)
    running.clock.advance(minutes=16)
    answer = await refresh(running, person.session["refresh_token"])
    assert answer.status_code == 200
    session = answer.json()
    assert session["refresh_token"] != person.session["refresh_token"]
    assert session["csrf_token"] == person.session["csrf_token"]
    me = await running.client.get("/api/users/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.status_code == 200


async def test_two_tabs_get_the_same_successor_within_ten_seconds(running: RunningApp) -> None:
    person = await signed_in(running)
    answers = await asyncio.gather(*(refresh(running, person.session["refresh_token"]) for _ in range(5)))
    running.clock.advance(seconds=9)
    answers.append(await refresh(running, person.session["refresh_token"]))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_reuse_after_the_grace_ends_the_family(running: RunningApp) -> None:
    person = await signed_in(running)
    first = person.session["refresh_token"]
    second = (await refresh(running, first)).json()["refresh_token"]
    running.clock.advance(seconds=11)
    reused = await refresh(running, first)
    assert (reused.status_code, rule_of(reused)) == (401, "token_reused")
    heir = await refresh(running, second)
    assert (heir.status_code, rule_of(heir)) == (401, "token_invalid")


async def test_a_grandparent_token_ends_the_family_at_once(running: RunningApp) -> None:
    person = await signed_in(running)
    first = person.session["refresh_token"]
    second = (await refresh(running, first)).json()["refresh_token"]
    third = (await refresh(running, second)).json()["refresh_token"]
    assert rule_of(await refresh(running, first)) == "token_reused"
    assert rule_of(await refresh(running, third)) == "token_invalid"


async def test_an_old_refresh_token_says_so(running: RunningApp) -> None:
    person = await signed_in(running)
    running.clock.advance(days=8)
    assert rule_of(await refresh(running, person.session["refresh_token"])) == "token_expired"


@pytest.mark.parametrize("token", [None, "rt-x", "rt-a.0.9999999999.mac", "x" * 500, "rt-" + "é" * 20])
async def test_what_is_no_refresh_token_of_ours(running: RunningApp, token: str | None) -> None:
    answer = await refresh(running, token)
    assert (answer.status_code, rule_of(answer)) == (401, "token_invalid")


async def test_a_generation_cannot_be_made_up(running: RunningApp) -> None:
    person = await signed_in(running)
    family, _, end, mac = person.session["refresh_token"].rsplit(".", 3)
    assert rule_of(await refresh(running, f"{family}.7.{end}.{mac}")) == "token_invalid"
    assert rule_of(await refresh(running, f"{family}.0.9999999999.{mac}")) == "token_invalid"


async def test_the_browser_refreshes_by_cookie_and_loses_it_at_logout(running: RunningApp) -> None:
    person = await signed_up(running)
    async with browser(running, person) as client:
        answer = await client.post("/api/auth/refresh")
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
        assert answer.json()["refresh_expires_in"] == 604_800
        out = await client.post("/api/auth/logout")
        assert out.status_code == 204
        assert set(client.cookies) == {"hph_device"}
        assert all("Max-Age=0" in line for line in set_cookies(out).values())
        assert (await client.post("/api/auth/refresh")).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
async def test_a_refresh_cookie_alone_is_no_request_of_ours(running: RunningApp, headers: dict[str, str]) -> None:
    person = await signed_up(running)
    async with browser(running, person) as client:
        client.cookies.delete("hph_access")
        del client.headers["Origin"]
        for path in ("refresh", "logout"):
            answer = await client.post(f"/api/auth/{path}", headers=headers)
            assert (answer.status_code, rule_of(answer)) == (403, "origin_not_allowed")
            assert "set-cookie" not in answer.headers
        ours = {"Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/api/auth/refresh", headers=ours)).status_code == 200


async def test_a_foreign_page_without_an_origin_can_set_no_cookies(running: RunningApp) -> None:
    person = await signed_up(running)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert rule_of(await login(running, person.email, person.password, headers=foreign)) == "origin_not_allowed"
    typed = {"Sec-Fetch-Site": "none"}
    assert (await login(running, person.email, person.password, headers=typed)).status_code == 200


async def test_logout_works_with_an_expired_access_token_and_ends_all_successors(running: RunningApp) -> None:
    person = await signed_in(running)
    second = (await refresh(running, person.session["refresh_token"])).json()["refresh_token"]
    running.clock.advance(hours=1)
    body = {"refresh_token": person.session["refresh_token"]}
    out = await running.client.post("/api/auth/logout", json=body, headers=person.bearer)
    assert out.status_code == 204
    assert rule_of(await refresh(running, second)) == "token_invalid"
    assert (await running.client.post("/api/auth/logout", json=body)).status_code == 204
    assert (await running.client.post("/api/auth/logout")).status_code == 204


async def test_without_redis_there_is_no_refresh_and_no_login_but_a_sign_up(tmp_path: Path) -> None:
    async with running_app(tmp_path, "redis://127.0.0.1:1/0") as running:
        token = await _token(running)
        assert (await refresh(running, token)).status_code == 503
        person = await signed_up(running)
        for password in (person.password, "wrong-password"):
            answer = await login(running, person.email, password)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        # Nobody guesses where guesses are not counted.
        assert running.services.passwords.computed == 1
        assert (await running.client.post("/api/auth/logout", json={"refresh_token": token})).status_code == 503
        assert (await running.client.post("/api/auth/guest")).status_code == 201


async def _token(running: RunningApp) -> str:
    sessions = Sessions.of(running.services)
    now = int(running.clock.now().timestamp() * 1000)
    return sessions._token("family", "user-1", 0, generation=0, rotated_at=now, started_at=now).text


async def test_a_guest_has_a_session_of_14_days_and_no_account(running: RunningApp) -> None:
    answer = await running.client.post("/api/auth/guest")
    session = answer.json()
    assert answer.status_code == 201
    assert session["session_id"].startswith("guest-")
    assert session["expires_in"] == 14 * 24 * 3600
    assert "refresh_token" not in session
    assert "Max-Age=0" in set_cookies(answer)["hph_refresh"]
    principal = running.services.tokens.verify(session["access_token"])
    assert principal.is_guest
    assert principal.permissions == {"read:products", "write:cart", "write:orders"}
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    running.client.cookies.clear()
    assert (await running.client.get("/api/users/me", headers=bearer)).status_code == 403
    running.clock.advance(days=15)
    assert (await running.client.get("/api/users/me", headers=bearer)).status_code == 401


async def test_a_cookie_session_writes_with_origin_and_csrf_token_only(running: RunningApp) -> None:
    person = await signed_up(running)
    async with browser(running, person) as client:
        change = {"name": "Dana W. Whitfield"}
        assert (await client.put("/api/users/me", json=change)).status_code == 200
        token = client.headers.pop("X-CSRF-Token")
        answer = await client.put("/api/users/me", json=change)
        assert (answer.status_code, rule_of(answer)) == (403, "csrf_failed")
        answer = await client.put("/api/users/me", json=change, headers={"X-CSRF-Token": token[::-1]})
        assert rule_of(answer) == "csrf_failed"
        foreign = {"X-CSRF-Token": token, "Origin": "https://evil.example"}
        answer = await client.put("/api/users/me", json=change, headers=foreign)
        assert rule_of(answer) == "origin_not_allowed"
        del client.headers["Origin"]
        answer = await client.put("/api/users/me", json=change, headers={"X-CSRF-Token": token})
        assert rule_of(answer) == "origin_not_allowed"
        same_origin = {"X-CSRF-Token": token, "Sec-Fetch-Site": "same-origin"}
        assert (await client.put("/api/users/me", json=change, headers=same_origin)).status_code == 200
        assert (await client.get("/api/users/me")).status_code == 200


async def test_the_csrf_token_of_one_session_is_no_good_in_another(running: RunningApp) -> None:
    mine, other = await signed_up(running), await signed_in(running)
    async with browser(running, mine) as client:
        headers = {"X-CSRF-Token": other.session["csrf_token"]}
        assert rule_of(await client.put("/api/users/me", json={"name": "X"}, headers=headers)) == "csrf_failed"


@pytest.mark.parametrize("path", ["login", "refresh", "logout", "guest"])
async def test_a_foreign_page_can_set_no_cookies(running: RunningApp, path: str) -> None:
    person = await signed_up(running)
    body = {"email": person.email, "password": person.password} if path == "login" else None
    answer = await running.client.post(f"/api/auth/{path}", json=body, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, rule_of(answer)) == (403, "origin_not_allowed")
    assert "set-cookie" not in answer.headers
    assert (await running.client.post("/api/auth/guest", headers={"Origin": ORIGIN})).status_code == 201


async def test_a_bearer_token_beside_cookies_decides_alone(running: RunningApp) -> None:
    mine, other = await signed_up(running), await signed_in(running)
    async with browser(running, mine) as client:
        seen = (await client.get("/api/users/me", headers=other.bearer)).json()
        assert seen["email"] == other.email
        bad = {"Authorization": "Bearer nonsense"}
        assert (await client.get("/api/users/me", headers=bad)).status_code == 401
    assert (await login(running, mine.email, mine.password, headers=bad)).status_code == 200


async def test_a_session_of_a_changed_account_is_over(running: RunningApp) -> None:
    person = await signed_in(running)
    body = {"old_password": person.password, "new_password": "Another-Mountain#43"}
    assert (await running.client.put("/api/users/me/password", json=body, headers=person.bearer)).status_code == 204
    assert rule_of(await refresh(running, person.session["refresh_token"])) == "token_invalid"


async def test_a_stolen_token_takes_no_account_once_the_password_has_changed(running: RunningApp) -> None:
    person = await signed_in(running)
    stolen = await asked_again(running, person)
    body = {"old_password": person.password, "new_password": "Another-Mountain#43"}
    assert (await running.client.put("/api/users/me/password", json=body, headers=stolen)).status_code == 204
    moved = await running.client.put("/api/users/me", json={"email": new_address()}, headers=stolen)
    left = await running.client.delete("/api/users/me", headers=stolen)
    for answer in (moved, left):
        assert (answer.status_code, rule_of(answer)) == (401, "token_invalid")
    assert (await login(running, person.email, "Another-Mountain#43")).status_code == 200


async def test_production_cookies_are_secure_and_hold_to_their_host(running: RunningApp) -> None:
    session = cast("v.Session", (await signed_in(running)).session)
    made = [value.decode() for _, value in session_cookies(session, secure=True)]
    assert all("; Secure" in value for value in made)
    assert [value.split("=")[0] for value in made] == ["__Host-hph_access", "__Secure-hph_refresh", "__Host-hph_csrf"]
    assert all("; Path=/;" in value and "Domain" not in value for value in made if value.startswith("__Host-"))


async def test_in_production_a_refresh_cookie_needs_the_csrf_cookie_of_its_session(running: RunningApp) -> None:
    """Another host of the domain may set a refresh cookie of its own session; the CSRF cookie it cannot set."""
    running.services.settings = running.services.settings.model_copy(update={"env": "production"})
    mine, theirs = await signed_in(running), await signed_in(running)
    csrf = f"__Host-hph_csrf={mine.session['csrf_token']}"

    async def ask(*cookies: str, path: str = "refresh") -> httpx.Response:
        headers = {"Origin": ORIGIN, "Cookie": "; ".join(cookies)}
        async with running.new_client() as client:
            return await client.post(f"/api/auth/{path}", headers=headers)

    own = f"__Secure-hph_refresh={mine.session['refresh_token']}"
    planted = f"__Secure-hph_refresh={theirs.session['refresh_token']}"
    for path in ("refresh", "logout"):
        for cookies in ((planted, csrf), (planted,), (own,), ("__Secure-hph_refresh=rt-x", csrf)):
            answer = await ask(*cookies, path=path)
            assert (answer.status_code, rule_of(answer)) == (403, "csrf_failed")
    assert (await ask(f"hph_refresh={mine.session['refresh_token']}", csrf)).status_code == 401
    answer = await ask(own, csrf)
    assert answer.status_code == 200
    assert "__Host-hph_access" in set_cookies(answer)
    assert (await ask(own, csrf, path="logout")).status_code == 204


async def test_the_same_password_in_another_unicode_form(running: RunningApp) -> None:
    composed, decomposed = "Caf\u00e9-Mountain1", "Cafe\u0301-Mountain1"
    person = Person((await signed_up(running, password=composed)).email, composed)
    assert (await login(running, person.email, decomposed)).status_code == 200
