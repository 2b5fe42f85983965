"""Credentials: what a token, a cookie and a page have to bring; what a bad one means (decisions 12, 47, 58)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jwt

from handlers.contract.call import parse_cookies
from handlers.platform.access import Principal
from handlers.platform.clock import SystemClock
from handlers.platform.keys import shared_secret
from handlers.platform.tokens import AUDIENCE, ISSUER, TokenRejected, Tokens
from tests.contract.conftest import Small
from tests.support.app import ORIGIN

SECRET = "a-secret-of-the-tests-that-is-long-enough"
TOKENS = Tokens(shared_secret(SECRET), timedelta(minutes=15), SystemClock())
CALLER = Principal("user-1", "staff", frozenset({"read:orders"}), session_id="session-1", credential="bearer")


def encoded(part: Any) -> str:
    """A part of a token."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: str = SECRET) -> str:
    """A token with a valid signature of `key` and whatever claims and header it is given."""
    good = jwt.get_unverified_claims(TOKENS.issue(CALLER))
    merged = {k: v for k, v in {**good, **(claims or {})}.items() if v is not None}
    head = {"kid": TOKENS.keys.kid, **(header or {})}
    return str(jwt.encode(merged, key, algorithm="HS256", headers=head))


def with_header(header: Any) -> str:
    """A good token whose header is another one, unsigned."""
    _, payload, signature = TOKENS.issue(CALLER).split(".")
    return f"{encoded(header)}.{payload}.{signature}"


def with_alg_none() -> str:
    """The old trick: no algorithm, no signature."""
    payload = TOKENS.issue(CALLER).split(".")[1]
    return f"{encoded({'alg': 'none', 'kid': TOKENS.keys.kid})}.{payload}."


REJECTED: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no token": lambda: "abc",
    "two parts": lambda: "a.b",
    "four parts": lambda: TOKENS.issue(CALLER) + ".x",
    "dots": lambda: "..",
    "tampered payload": lambda: ".".join(
        [
            *(p := TOKENS.issue(CALLER).split("."))[:1],
            encoded({**jwt.get_unverified_claims(".".join(p)), "role": "admin"}),
            p[2],
        ]
    ),
    "tampered signature": lambda: TOKENS.issue(CALLER)[:-4] + "AAAA",
    "alg none": with_alg_none,
    "alg None": lambda: with_header({"alg": "None", "kid": TOKENS.keys.kid}),
    "other algorithm": lambda: with_header({"alg": "HS512", "kid": TOKENS.keys.kid}),
    "asymmetric": lambda: with_header({"alg": "RS256", "kid": TOKENS.keys.kid}),
    "unknown crit": lambda: forged(header={"crit": ["exp"]}),
    "key brought along": lambda: forged(header={"jwk": {"kty": "oct", "k": "AA"}}),
    "key address": lambda: forged(header={"jku": "https://evil.example.com"}),
    "other key": lambda: forged(key="another-secret-that-is-long-enough-too"),
    "unknown kid": lambda: forged(header={"kid": "other"}),
    "kid no text": lambda: forged(header={"kid": ["x"]}),
    "kid a number": lambda: with_header({"alg": "HS256", "kid": 5}),
    "no kid": lambda: with_header({"alg": "HS256"}),
    "header no object": lambda: with_header(["HS256"]),
    "header deep": lambda: with_header(
        b'{"alg":"HS256","kid":"' + TOKENS.keys.kid.encode() + b'","x":' + b"[" * 1000 + b"]" * 1000 + b"}"
    ),
    "header not utf-8": lambda: with_header(b"\xff\xfe"),
    "header NaN": lambda: with_header(b'{"alg":"HS256","kid":NaN}'),
    "wrong audience": lambda: forged({"aud": "other"}),
    "audience missing": lambda: forged({"aud": None}),
    "mfa challenge": lambda: TOKENS.issue(CALLER, audience="holiday-peak-hub-mfa"),
    "wrong issuer": lambda: forged({"iss": "evil"}),
    "issuer missing": lambda: forged({"iss": None}),
    "subject missing": lambda: forged({"sub": None}),
    "never ends": lambda: forged({"exp": None}),
    "end no number": lambda: forged({"exp": "soon"}),
    "from the future": lambda: forged({"iat": 4_000_000_000}),
    "role unknown": lambda: forged({"role": "root"}),
    "permissions no list": lambda: forged({"permissions": "all"}),
    "too long": lambda: forged({"email": "x" * 5000}),
    "not ascii": lambda: "é.è.ê",
}


@pytest.mark.parametrize("name", REJECTED)
def test_tokens_that_are_not_ours_are_rejected(name: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        TOKENS.verify(REJECTED[name]())
    assert caught.value.rule == "token_invalid"


def test_a_token_says_its_caller_until_it_ends() -> None:
    token = TOKENS.issue(CALLER)
    assert TOKENS.verify(token) == TOKENS.verify(token) == CALLER
    assert jwt.get_unverified_claims(token)["aud"] == AUDIENCE
    assert jwt.get_unverified_claims(token)["iss"] == ISSUER
    with pytest.raises(TokenRejected) as caught:
        TOKENS.verify(TOKENS.issue(CALLER, lifetime=timedelta(seconds=-1)))
    assert caught.value.rule == "token_expired"


@given(
    st.text(max_size=80)
    | st.lists(st.binary(max_size=40), min_size=3, max_size=3).map(lambda p: ".".join(map(encoded, p)))
)
def test_any_text_is_rejected(token: str) -> None:
    with pytest.raises(TokenRejected):
        TOKENS.verify(token)


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        ([b"a=1; b=2"], {"a": "1", "b": "2"}),
        ([b"a=1;b=2"], {"a": "1", "b": "2"}),
        ([b"a=1", b"b=2"], {"a": "1", "b": "2"}),
        ([b'a="1"'], {"a": "1"}),
        ([b"a=1; a=2"], {"a": "1"}),
        ([b"a=1=2"], {"a": "1=2"}),
        ([b"a; b=2; =3; ; c="], {"b": "2", "c": ""}),
        ([b'{"odd": [1]}; b=2'], {"b": "2"}),
        ([b"\xff=\xfe; b=2"], {"ÿ": "þ", "b": "2"}),
        ([b"a[b]=1; b=2; @=x"], {"a[b]": "1", "b": "2", "@": "x"}),
        ([b""], {}),
        ([], {}),
    ],
)
def test_an_odd_cookie_costs_no_other_its_place(headers: list[bytes], cookies: dict[str, str]) -> None:
    assert parse_cookies([(b"cookie", value) for value in headers]) == cookies


async def ask(small: Small, **headers: str) -> httpx.Response:
    """A write that only staff may do."""
    return await small.client.post("/staff", headers=headers)


def rule_of(answer: httpx.Response) -> str | None:
    """The rule of a refusal."""
    rule = answer.json()["error"]["details"].get("rule")
    return str(rule) if rule else None


async def test_a_bearer_token_says_who_calls(small: Small) -> None:
    answer = await ask(small, **small.bearer("staff"))
    assert answer.json()["seen"] == {"id": "user-1", "role": "staff", "credential": "bearer"}
    assert (await ask(small, **{"Authorization": f"bEaReR   {small.token('admin')}  "})).status_code == 200
    assert (await ask(small)).status_code == 401
    assert (await ask(small, **small.bearer("customer"))).status_code == 403


@pytest.mark.parametrize(
    "value", ["Basic YTpi", "Bearer", "Bearer ", "Bearer x", "Token x", "bearer é", "", "Bearer a.b.c"]
)
async def test_a_bad_bearer_token_is_401_even_on_a_public_operation(small: Small, value: str) -> None:
    headers = [(b"authorization", value.encode("latin-1"))]
    good = [(b"cookie", f"hph_access={small.token('admin')}".encode())]
    for path in ("/text", "/things?q=x"):
        for more in ([], good):
            answer = await small.client.get(path, headers=[*headers, *more])
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert rule_of(answer) == "token_invalid"
            assert "ratelimit-remaining" in answer.headers


async def test_a_bad_cookie_is_anonymous(small: Small) -> None:
    for value in ("x", "a.b.c", "é", '"', "%00", ""):
        cookie = [(b"cookie", f"hph_access={value}".encode("latin-1"))]
        assert (await small.client.get("/text", headers=cookie)).status_code == 200
        assert (await small.client.post("/staff", headers=cookie)).status_code == 401


async def test_cookies_are_ignored_beside_a_bearer_token(small: Small) -> None:
    cookie = {"Cookie": f"hph_access={small.token('customer', 'user-2')}"}
    answer = await ask(small, **small.bearer("staff"), **cookie)
    assert answer.json()["seen"] == {"id": "user-1", "role": "staff", "credential": "bearer"}


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({}, "origin_not_allowed"),
        ({"Origin": ORIGIN}, "csrf_failed"),
        ({"Origin": ORIGIN, "X-CSRF-Token": "wrong"}, "csrf_failed"),
        ({"Origin": ORIGIN, "X-CSRF-Token": ""}, "csrf_failed"),
        ({"Origin": "https://evil.example.com", "X-CSRF-Token": "good"}, "origin_not_allowed"),
        ({"Origin": "null", "X-CSRF-Token": "good"}, "origin_not_allowed"),
        ({"Origin": ORIGIN + ".evil.example.com", "X-CSRF-Token": "good"}, "origin_not_allowed"),
        ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "good"}, "origin_not_allowed"),
        ({"Sec-Fetch-Site": "same-site", "X-CSRF-Token": "good"}, "origin_not_allowed"),
        ({"Origin": ORIGIN, "X-CSRF-Token": "good"}, None),
        ({"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": "good"}, None),
    ],
)
async def test_a_write_by_cookie_needs_our_page_and_its_token(
    small: Small, headers: dict[str, str], rule: str | None
) -> None:
    good = small.services.csrf.token("session-1")
    sent = {name: good if value == "good" else value for name, value in headers.items()}
    answer = await ask(small, Cookie=f"theme=dark; hph_access={small.token('staff')}; odd", **sent)
    if rule is None:
        assert answer.json()["seen"] == {"id": "user-1", "role": "staff", "credential": "cookie"}
        return
    assert (answer.status_code, rule_of(answer)) == (403, rule)


async def test_a_csrf_token_belongs_to_its_session(small: Small) -> None:
    other = small.services.csrf.token("session-2")
    cookie = f"hph_access={small.token('staff')}"
    answer = await ask(small, Cookie=cookie, Origin=ORIGIN, **{"X-CSRF-Token": other})
    assert rule_of(answer) == "csrf_failed"


async def test_reads_by_cookie_need_no_token(small: Small) -> None:
    cookie = {"Cookie": f"hph_access={small.token('customer')}"}
    assert (await small.client.get("/things?q=x", headers=cookie)).status_code == 200
    assert (await small.client.head("/text", headers=cookie)).status_code == 200
