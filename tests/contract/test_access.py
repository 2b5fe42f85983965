"""Who may call what: every operation as every role, against the contract's own words and not what was generated."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from generated.access import ACCESS, PERMISSIONS
from handlers.platform.access import Principal
from tests.support.callers import ROLES, Caller, sign_in
from tests.support.contract import RANK, Declared, document, operations
from tests.support.shop import Shop, running_shop

OPERATIONS = {operation.id: operation for operation in operations()}
GUARDED = [operation for operation in OPERATIONS.values() if operation.reads_credentials]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class House:
    """The shop with a caller of each role."""

    shop: Shop
    callers: dict[str, Caller]

    async def ask(self, operation: Declared, headers: dict[str, str]) -> httpx.Response:
        """Calls an operation with a parameter that none has: whoever may call it is told so, and nothing happens."""
        async with self.shop.running.new_client() as client:
            return await client.request(operation.method, operation.url() + "?no-such=1", headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[House]:
    """A demo shop of this module's own."""
    async with running_shop(tmp_path_factory.mktemp("access"), redis_url) as shop:
        yield House(shop, await sign_in(shop.running))


def check(operation: Declared, role: str, answer: httpx.Response) -> None:
    """Compares an answer with what the contract says of the role."""
    place = f"{operation.id} as {role}: {answer.status_code} {answer.text[:300]}"
    if operation.may(role):
        assert answer.status_code == (400 if operation.built else 501), place
        return
    refused = 401 if role == "nobody" else 403
    assert answer.status_code == refused, place
    assert answer.json()["error"]["code"] == ("UNAUTHORIZED" if role == "nobody" else "FORBIDDEN"), place
    assert answer.headers["x-request-id"] == answer.json()["error"]["request_id"]
    assert ("www-authenticate" in answer.headers) == (refused == 401)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_role_may_call_what_the_contract_says(house: House, name: str, role: str) -> None:
    operation, caller = OPERATIONS[name], house.callers[role]
    check(operation, role, await house.ask(operation, caller.by_bearer))
    check(operation, role, await house.ask(operation, caller.by_cookie))


@pytest.mark.parametrize("operation", [o for o in GUARDED if o.method != "GET"], ids=lambda o: o.id)
async def test_a_write_by_cookie_alone_is_refused(house: House, operation: Declared) -> None:
    caller = house.callers["admin"]
    bare = {"Cookie": caller.by_cookie["Cookie"]}
    for headers in (bare, {**bare, "Origin": caller.by_cookie["Origin"]}):
        answer = await house.ask(operation, headers)
        assert answer.status_code == 403
        assert answer.json()["error"]["details"]["rule"] in ("origin_not_allowed", "csrf_failed")


def bad_tokens(house: House) -> dict[str, str]:
    """Tokens that look like an administrator's and are none."""
    tokens = house.shop.services.tokens
    admin = Principal("user-demo-admin", "admin", PERMISSIONS["admin"], session_id="s")
    good = tokens.issue(admin)
    head, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": tokens.keys.kid}).encode()).rstrip(b"=").decode()
    other = base64.urlsafe_b64encode(json.dumps({"sub": "x"}).encode()).rstrip(b"=").decode()
    return {
        "expired": tokens.issue(admin, lifetime=timedelta(seconds=-5)),
        "tampered": f"{head}.{other}.{signature}",
        "alg none": f"{none}.{payload}.",
        "wrong audience": tokens.issue(admin, audience="holiday-peak-hub-mfa"),
        "nonsense": "abc",
    }


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_a_bad_token_is_401_wherever_tokens_are_read(house: House, operation: Declared) -> None:
    for kind, token in bad_tokens(house).items():
        answer = await house.ask(operation, {"Authorization": f"Bearer {token}"})
        if not operation.reads_credentials:
            check(operation, "nobody", answer)
            continue
        assert answer.status_code == 401, (kind, answer.text)
        rule = answer.json()["error"]["details"]["rule"]
        assert rule == ("token_expired" if kind == "expired" else "token_invalid"), kind


@pytest.mark.parametrize("operation", GUARDED, ids=lambda o: o.id)
async def test_a_bad_cookie_is_nobody(house: House, operation: Declared) -> None:
    for token in bad_tokens(house).values():
        answer = await house.ask(operation, {**house.callers["nobody"].by_cookie, "Cookie": f"hph_access={token}"})
        check(operation, "nobody", answer)


async def test_the_generated_table_says_the_same() -> None:
    assert ACCESS.keys() == OPERATIONS.keys()
    for name, access in ACCESS.items():
        declared = OPERATIONS[name].content
        assert access.role == declared["x-required-role"]
        assert access.permissions == frozenset(declared.get("x-permissions", ()))
    assert {role: set(permissions) for role, permissions in PERMISSIONS.items()} == {
        role: set(entry["permissions"]) for role, entry in document()["x-roles"].items()
    }


async def test_every_role_may_what_the_one_below_may() -> None:
    for below, above in itertools.pairwise(RANK):
        assert PERMISSIONS[below] <= PERMISSIONS[above]
    assert PERMISSIONS["anonymous"] <= PERMISSIONS["guest"] <= PERMISSIONS["customer"]


async def test_staff_and_admin_rooms_are_closed_to_customers() -> None:
    for operation in OPERATIONS.values():
        staff_only = operation.path.startswith(("/api/staff", "/api/admin"))
        if staff_only:
            assert not operation.may("customer"), operation.id
        if operation.content["x-required-role"] in ("staff", "admin"):
            assert staff_only or operation.tag in ("payments", "returns", "inventory"), operation.id
