"""Signing in with an identity provider that really listens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from handlers.auth.social import _key as nonce_key
from handlers.platform.cache import Script
from tests.support.app import RunningApp
from tests.support.oidc import TENANT, Issuer, issuing, knowing
from tests.support.people import login, mailed_token, mails, new_address, outbox_events, rule_of, signed_up

OBJECT_ID = "0f1c6a2e-0000-4000-8000-000000000001"


@pytest.fixture
async def issuer(running: RunningApp) -> AsyncIterator[Issuer]:
    """A provider that stands for Google, and with another issuer for Entra ID."""
    async with issuing(running.clock) as server:
        entra = server.provider("microsoft", server.address)
        async with knowing(server, server.provider("google"), entra) as known:
            running.services.identity = known
            yield server


async def nonce_of(running: RunningApp, provider: str = "google") -> str:
    answer = await running.client.post(f"/api/auth/social/{provider}/nonce")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["nonce"])


async def social(running: RunningApp, token: str, provider: str = "google", body: Any = None) -> httpx.Response:
    async with running.new_client() as client:
        return await client.post(f"/api/auth/social/{provider}", json={"token": token, **(body or {})})


async def test_the_first_time_makes_an_account_the_next_finds_it(running: RunningApp, issuer: Issuer) -> None:
    email = new_address()
    nonce = await nonce_of(running)
    token = issuer.token(nonce, email=email.upper(), email_verified=True, name="Dana\x00 Whitfield")
    first = await social(running, token, body={"nonce": nonce, "provider": "google"})
    assert first.status_code == 200, first.text
    user = first.json()["user"]
    assert (user["email"], user["email_verified"], user["name"]) == (email, True, "Dana  Whitfield")
    assert len(first.headers.get_list("set-cookie")) == 4
    assert (await outbox_events(running, user["user_id"]))[0]["event_type"] == "UserCreated"
    assert await mails(running, email) == []
    second = await social(running, issuer.token(await nonce_of(running), email=new_address()))
    assert second.json()["user"]["user_id"] == user["user_id"]
    assert issuer.requests == ["discovery", "keys"]


async def test_an_account_is_never_joined_by_the_address_alone(running: RunningApp, issuer: Issuer) -> None:
    person = await signed_up(running)
    token = issuer.token(await nonce_of(running), email=person.email, email_verified=True)
    answer = await social(running, token)
    assert (answer.status_code, rule_of(answer)) == (409, "email_taken")
    assert "set-cookie" not in answer.headers
    other = await social(running, issuer.token(await nonce_of(running), email=new_address(), email_verified=True))
    assert other.status_code == 200


async def test_another_subject_is_another_person(running: RunningApp, issuer: Issuer) -> None:
    first = await social(running, issuer.token(await nonce_of(running), email=new_address()))
    second = await social(running, issuer.token(await nonce_of(running), sub="person-2", email=new_address()))
    assert first.json()["user"]["user_id"] != second.json()["user"]["user_id"]


async def test_an_address_the_provider_has_not_proven_gets_a_mail(running: RunningApp, issuer: Issuer) -> None:
    email = new_address()
    answer = await social(running, issuer.token(await nonce_of(running), email=email, email_verified="true"))
    assert answer.json()["user"]["email_verified"] is False
    token = await mailed_token(running, email)
    assert (await running.client.post("/api/auth/verify-email", json={"token": token})).status_code == 200


async def test_two_tabs_make_one_account(running: RunningApp, issuer: Issuer) -> None:
    email = new_address()
    tokens = [issuer.token(await nonce_of(running), email=email) for _ in range(4)]
    answers = await asyncio.gather(*(social(running, token) for token in tokens))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert len({answer.json()["user"]["user_id"] for answer in answers if answer.status_code == 200}) == 1


async def test_such_an_account_has_no_password_until_its_owner_sets_one(running: RunningApp, issuer: Issuer) -> None:
    email = new_address()
    session = (await social(running, issuer.token(await nonce_of(running), email=email, email_verified=True))).json()
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await login(running, email, "anything-at-all")).status_code == 401
    refused = await running.client.post("/api/users/me/2fa/enable", json={"password": "x"}, headers=bearer)
    assert rule_of(refused) == "invalid_credentials"
    await running.client.post("/api/auth/forgot-password", json={"email": email})
    token = await mailed_token(running, email, "pr-")
    body = {"token": token, "new_password": "Another-Mountain#43"}
    assert (await running.client.post("/api/auth/reset-password", json=body)).status_code == 200
    assert (await login(running, email, "Another-Mountain#43")).status_code == 200


async def test_an_identity_that_took_an_unproven_address_loses_it_to_its_owner(
    running: RunningApp, issuer: Issuer
) -> None:
    """An account made ahead of the owner of its address, through a provider that proves none."""
    victim = new_address()

    async def squatter() -> httpx.Response:
        return await social(running, issuer.token(await nonce_of(running), email=victim))

    account = (await squatter()).json()["user"]
    assert account["email_verified"] is False
    await running.client.post("/api/auth/forgot-password", json={"email": victim})
    body = {"token": await mailed_token(running, victim, "pr-"), "new_password": "Another-Mountain#43"}
    assert (await running.client.post("/api/auth/reset-password", json=body)).status_code == 200
    owner = (await login(running, victim, "Another-Mountain#43")).json()["user"]
    assert (owner["user_id"], owner["email_verified"]) == (account["user_id"], True)
    assert rule_of(await squatter()) == "email_taken"
    elsewhere = await social(running, issuer.token(await nonce_of(running), email=new_address()))
    assert elsewhere.json()["user"]["user_id"] != owner["user_id"]


async def test_deleting_frees_the_identity(running: RunningApp, issuer: Issuer) -> None:
    first = (await social(running, issuer.token(await nonce_of(running), email=new_address()))).json()
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    running.clock.advance(minutes=11)
    stale = await running.client.post("/api/users/me/reauthentication", json={}, headers=bearer)
    assert (stale.status_code, rule_of(stale)) == (403, "reauthentication_required")
    fresh = (await social(running, issuer.token(await nonce_of(running), email=new_address()))).json()
    bearer = {"Authorization": f"Bearer {fresh['access_token']}"}
    again = (await running.client.post("/api/users/me/reauthentication", json={}, headers=bearer)).json()
    bearer["X-Reauthentication"] = again["reauthentication_token"]
    assert (await running.client.delete("/api/users/me", headers=bearer)).status_code == 204
    second = (await social(running, issuer.token(await nonce_of(running), email=new_address()))).json()
    assert second["user"]["user_id"] != first["user"]["user_id"]


async def test_a_nonce_is_good_once(running: RunningApp, issuer: Issuer) -> None:
    token = issuer.token(await nonce_of(running), email=new_address())
    assert (await social(running, token)).status_code == 200
    assert rule_of(await social(running, token)) == "identity_token_invalid"


async def test_a_nonce_belongs_to_its_provider(running: RunningApp, issuer: Issuer) -> None:
    nonce = await nonce_of(running, "microsoft")
    assert rule_of(await social(running, issuer.token(nonce, email=new_address()))) == "identity_token_invalid"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "n-made-up-by-somebody-else"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["shop-client", "another"], "azp": "another"},
        {"aud": None},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": [1]},
        {"iat": None},
        {"iat": 4_000_000_000},
    ],
)
async def test_tokens_that_are_not_for_us(running: RunningApp, issuer: Issuer, claims: dict[str, Any]) -> None:
    token = issuer.token(**{"nonce": await nonce_of(running), "email": new_address(), **claims})
    answer = await social(running, token)
    assert (answer.status_code, rule_of(answer)) == (401, "identity_token_invalid")


@pytest.mark.parametrize(
    "header", [{"jku": "https://evil.example/keys"}, {"crit": ["x"]}, {"kid": "other"}, {"kid": 1}]
)
async def test_headers_that_bring_their_own_rules(running: RunningApp, issuer: Issuer, header: dict[str, Any]) -> None:
    token = issuer.token(await nonce_of(running), header=header, email=new_address())
    assert rule_of(await social(running, token)) == "identity_token_invalid"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "key-0"},
        {"alg": "None", "kid": "key-0"},
        {"alg": "HS256", "kid": "key-0"},
        {"alg": ["RS256"], "kid": "key-0"},
        {"alg": "RS256"},
        ["RS256"],
    ],
)
async def test_other_algorithms_and_the_public_key_as_a_secret(
    running: RunningApp, issuer: Issuer, header: Any
) -> None:
    _, content, signature = issuer.token(await nonce_of(running), email=new_address()).split(".")
    signing = f"{part(header)}.{content}"
    mac = hmac.new(issuer.public.encode(), signing.encode(), hashlib.sha256).digest()
    for end in ("", signature, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()):
        answer = await social(running, f"{signing}.{end}")
        assert (answer.status_code, rule_of(answer)) == (401, "identity_token_invalid")


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


async def test_a_header_too_deep_to_read(running: RunningApp, issuer: Issuer) -> None:
    _, content, signature = issuer.token(await nonce_of(running)).split(".")
    deep: Any = []
    for _ in range(700):
        deep = [deep]
    answer = await social(running, f"{part({'alg': 'RS256', 'kid': 'key-0', 'x': deep})}.{content}.{signature}")
    assert (answer.status_code, rule_of(answer)) == (401, "identity_token_invalid")


@pytest.mark.parametrize(
    "odd",
    [
        "no object",
        {"kty": "RSA", "kid": "key-0"},
        {"kty": "RSA", "kid": "key-0", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "kid": ["key-0"], "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "key-0", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "key-0", "n": "é", "e": "AA"},
    ],
)
async def test_a_broken_key_of_the_provider_takes_no_sound_ones_place(
    running: RunningApp, issuer: Issuer, odd: Any
) -> None:
    issuer.odd_keys = [odd]
    assert (await social(running, issuer.token(await nonce_of(running), email=new_address()))).status_code == 200


async def test_a_nonce_in_the_body_must_be_that_of_the_token(running: RunningApp, issuer: Issuer) -> None:
    token = issuer.token(await nonce_of(running), email=new_address())
    other = await nonce_of(running)
    assert rule_of(await social(running, token, body={"nonce": other})) == "identity_token_invalid"


async def test_an_old_nonce_is_gone(running: RunningApp, issuer: Issuer) -> None:
    nonce = await nonce_of(running)
    key = nonce_key("google", nonce)
    assert 590 < await running.services.cache.eval(Script("return redis.call('TTL', KEYS[1])"), [key]) <= 600
    await running.services.cache.delete(key)
    assert rule_of(await social(running, issuer.token(nonce, email=new_address()))) == "identity_token_invalid"


async def test_a_changed_key_is_fetched_and_the_old_one_forgotten(running: RunningApp, issuer: Issuer) -> None:
    assert (await social(running, issuer.token(await nonce_of(running), email=new_address()))).status_code == 200
    old = issuer.token(await nonce_of(running))
    issuer.kid = "key-1"
    assert rule_of(await social(running, issuer.token(await nonce_of(running)))) == "identity_token_invalid"
    running.clock.advance(seconds=31)
    assert (await social(running, issuer.token(await nonce_of(running)))).status_code == 200
    assert rule_of(await social(running, old)) == "identity_token_invalid"
    assert issuer.requests == ["discovery", "keys"] * 2


async def test_a_provider_that_is_away_or_odd(running: RunningApp, issuer: Issuer) -> None:
    issuer.away = True
    assert (await social(running, issuer.token(await nonce_of(running)))).status_code == 503
    issuer.away = False
    for odd in ({"issuer": "https://evil.example"}, {"jwks_uri": 7}, {"jwks_uri": "https://127.0.0.1:1/keys"}):
        issuer.discovery = odd
        assert (await social(running, issuer.token(await nonce_of(running)))).status_code == 503
    issuer.discovery = {}
    assert (await social(running, issuer.token(await nonce_of(running), email=new_address()))).status_code == 200


async def test_entra_accounts_are_keyed_by_tenant_and_object(running: RunningApp, issuer: Issuer) -> None:
    email = new_address()
    claims: dict[str, Any] = {"tid": TENANT, "oid": OBJECT_ID, "email": email, "email_verified": True}
    first = await social(running, issuer.token(await nonce_of(running, "microsoft"), **claims), "microsoft")
    assert first.status_code == 200
    assert first.json()["user"]["email_verified"] is False
    claims |= {"sub": "another-sub-for-the-same-person"}
    second = await social(running, issuer.token(await nonce_of(running, "microsoft"), **claims), "microsoft")
    assert second.json()["user"]["user_id"] == first.json()["user"]["user_id"]
    claims["tid"] = "72f988bf-0000-0000-0000-2d7cd011db47"
    other = await social(running, issuer.token(await nonce_of(running, "microsoft"), **claims), "microsoft")
    assert rule_of(other) == "email_taken"
    claims.pop("oid")
    token = issuer.token(await nonce_of(running, "microsoft"), **claims)
    assert rule_of(await social(running, token, "microsoft")) == "identity_token_invalid"


async def test_what_is_not_set_up_or_not_meant(running: RunningApp, issuer: Issuer) -> None:
    assert rule_of(await running.client.post("/api/auth/social/facebook/nonce")) == "provider_not_configured"
    assert rule_of(await social(running, "x.y.z", "facebook")) == "provider_not_configured"
    assert (await social(running, "x.y.z", body={"provider": "facebook"})).status_code == 400
    assert rule_of(await social(running, "x.y.z")) == "identity_token_invalid"
    nobody = issuer.token(await nonce_of(running))
    answer = await social(running, nobody)
    assert (answer.status_code, rule_of(answer)) == (422, "provider_email_missing")
