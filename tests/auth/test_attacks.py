"""Forged access tokens, each refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jose import jwt

from generated.access import PERMISSIONS
from handlers.platform.access import Principal
from handlers.platform.keys import key_pair, shared_secret
from tests.support.app import RunningApp, running_app
from tests.support.oidc import rsa_key
from tests.support.people import (
    Person,
    rule_of,
    signed_in,
)

# --- forged access tokens -------------------------------------------------------------------------------------------


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def claims_of(person: Person) -> dict[str, Any]:
    return dict(jwt.get_unverified_claims(person.session["access_token"]))


def signed(running: RunningApp, claims: dict[str, Any], **header: Any) -> str:
    """A token signed with the shop's own key, whatever it says."""
    keys = running.services.tokens.keys
    return str(jwt.encode(claims, keys.signing, algorithm="HS256", headers={"kid": keys.kid, **header}))


async def me(running: RunningApp, token: str) -> httpx.Response:
    return await running.client.get("/api/users/me", headers={"Authorization": f"Bearer {token}"})


async def test_the_control_is_accepted(running: RunningApp) -> None:
    person = await signed_in(running)
    assert (await me(running, signed(running, claims_of(person)))).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", ""])
async def test_unsigned_tokens(running: RunningApp, algorithm: str) -> None:
    claims = {**claims_of(await signed_in(running)), "role": "admin", "permissions": sorted(PERMISSIONS["admin"])}
    kid = running.services.tokens.keys.kid
    for signature in ("", "AAAA"):
        token = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': kid})}.{part(claims)}.{signature}"
        assert rule_of(await me(running, token)) == "token_invalid"


@pytest.mark.parametrize("claim", ["exp", "iat", "aud", "sub", "iss", "role", "permissions"])
async def test_a_missing_claim(running: RunningApp, claim: str) -> None:
    claims = claims_of(await signed_in(running))
    del claims[claim]
    assert rule_of(await me(running, signed(running, claims))) == "token_invalid"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"exp": 1_000_000_000}, "token_expired"),
        ({"iat": 4_000_000_000}, "token_invalid"),
        ({"nbf": 4_000_000_000}, "token_invalid"),
        ({"aud": "holiday-peak-hub-mfa"}, "token_invalid"),
        ({"iss": "https://evil.example"}, "token_invalid"),
        ({"role": "root"}, "token_invalid"),
        ({"sub": 7}, "token_invalid"),
    ],
)
async def test_a_claim_that_is_wrong(running: RunningApp, change: dict[str, Any], rule: str) -> None:
    claims = {**claims_of(await signed_in(running)), **change}
    assert rule_of(await me(running, signed(running, claims))) == rule


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"jku": "https://evil.example/keys.json"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5u": "https://evil.example/cert.pem"},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": None},
        {"kid": ["main"]},
        {"alg": "HS512"},
        {"alg": "RS256"},
    ],
)
async def test_a_header_that_brings_its_own_rules(running: RunningApp, header: dict[str, Any]) -> None:
    person = await signed_in(running)
    _, content, signature = person.session["access_token"].split(".")
    head = part({"alg": "HS256", "typ": "JWT", "kid": running.services.tokens.keys.kid, **header})
    assert rule_of(await me(running, f"{head}.{content}.{signature}")) == "token_invalid"
    assert (await me(running, signed(running, claims_of(person)))).status_code == 200


async def test_a_changed_payload_and_signatures_of_others(running: RunningApp) -> None:
    person = await signed_in(running)
    head, content, signature = person.session["access_token"].split(".")
    raised = part({**claims_of(person), "role": "admin", "permissions": sorted(PERMISSIONS["admin"])})
    others = shared_secret("another-secret-that-is-long-enough-0123")
    kid = {"kid": running.services.tokens.keys.kid}
    forged = jwt.encode(claims_of(person), others.signing, algorithm="HS256", headers=kid)
    for token in (
        f"{head}.{raised}.{signature}",
        f"{head}.{content}.",
        f"{head}.{content}",
        forged,
        "a.b.c",
        "a" * 5000,
    ):
        assert rule_of(await me(running, token)) == "token_invalid"


async def test_a_public_key_is_no_shared_secret(tmp_path: Path, redis_url: str) -> None:
    """Key confusion: what RS256 publishes, used as the secret of HS256."""
    private, public = rsa_key()
    one_line = private.replace("\n", "\\n")
    settings = {"JWT_ALGORITHM": "RS256", "JWT_PRIVATE_KEY": one_line}
    async with running_app(tmp_path, redis_url, **settings) as running:
        person = await signed_in(running)
        assert (await me(running, person.session["access_token"])).status_code == 200
        published = (await running.client.get("/.well-known/jwks.json")).json()["keys"]
        kid = jwt.get_unverified_header(person.session["access_token"])["kid"]
        assert [key["kid"] for key in published] == [kid]
        jwt.decode(person.session["access_token"], published[0], algorithms=["RS256"], audience="holiday-peak-hub-api")
        claims = {**claims_of(person), "role": "admin"}
        for secret in (public, public.strip(), published[0]["n"]):
            head, content = part({"alg": "HS256", "kid": kid}), part(claims)
            mac = hmac.new(secret.encode(), f"{head}.{content}".encode(), hashlib.sha256).digest()
            forged = f"{head}.{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
            assert rule_of(await me(running, forged)) == "token_invalid"


async def test_keys_change_without_ending_sessions(running: RunningApp) -> None:
    tokens = running.services.tokens
    person = Principal(id="user-1", role="customer", permissions=PERMISSIONS["customer"])
    (old_private, old_public), (new_private, new_public) = rsa_key(), rsa_key()
    tokens.keys = key_pair(old_private, new_public)
    tokens._headers = {"kid": tokens.keys.kid}
    before = tokens.issue(person)
    tokens.keys = key_pair(new_private, old_public)
    tokens._headers = {"kid": tokens.keys.kid}
    after = tokens.issue(person)
    assert tokens.verify(before).id == tokens.verify(after).id == "user-1"
    assert len((await running.client.get("/.well-known/jwks.json")).json()["keys"]) == 2
    tokens.keys = key_pair(new_private)
    tokens._verified.clear()
    assert rule_of(await me(running, before)) == "token_invalid"
    first, second = shared_secret("s" * 40), shared_secret("t" * 40, "s" * 40)
    tokens.keys, tokens._headers = first, {"kid": first.kid}
    old = tokens.issue(person)
    tokens.keys = second
    assert tokens.verify(old).id == "user-1"
    assert (await running.client.get("/.well-known/jwks.json")).json() == {"keys": []}
