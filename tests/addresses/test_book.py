"""The address book over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from handlers.addresses import rules, store
from handlers.addresses.events import on_user_deleted
from handlers.platform.store.port import Create, VersionConflict
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import HOME, Shopper, customer, event_of, guest

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOOK = "/api/users/me/addresses"
Json = dict[str, Any]


async def added(shopper: Shopper, **changes: Any) -> Json:
    """A new entry."""
    answer = await shopper.call("POST", BOOK, {**HOME, **changes})
    assert answer.status_code == 201, answer.text
    entry: Json = answer.json()
    return {**entry, "etag": answer.headers["etag"]}


async def entries(shopper: Shopper) -> list[Json]:
    """The whole book."""
    answer = await shopper.call("GET", f"{BOOK}?limit=100")
    assert answer.status_code == 200
    items: list[Json] = answer.json()["items"]
    return items


async def defaults(shopper: Shopper) -> dict[str, str]:
    """The default of each type; there is never more than one."""
    flagged = [entry for entry in await entries(shopper) if entry["is_default"]]
    found = {entry["type"]: str(entry["address_id"]) for entry in flagged}
    assert len(found) == len(flagged)
    return found


async def test_an_entry_in_normal_form_and_its_defaults(shop: Shop) -> None:
    shopper = await customer(shop)
    first = await added(shopper, state="california", postal_code="941021234", line2=" Apt  4B ")
    assert (first["type"], first["is_default"], first["state"], first["line2"]) == ("shipping", True, "CA", "Apt 4B")
    assert first["postal_code"] == "94102-1234"
    second = await added(shopper)
    billing = await added(shopper, type="billing", country="BR", state="SP", city="São Paulo", postal_code="01310100")
    assert (second["is_default"], billing["is_default"]) == (False, True)
    third = await added(shopper, is_default=True)
    assert await defaults(shopper) == {"shipping": third["address_id"], "billing": billing["address_id"]}
    order = [entry["address_id"] for entry in await entries(shopper)]
    assert order[2:] == [second["address_id"], first["address_id"]]


async def test_entries_change_field_by_field(shop: Shop) -> None:
    shopper = await customer(shop)
    entry = await added(shopper, line2="Apt 4B", phone="+14155550132")
    path = f"{BOOK}/{entry['address_id']}"
    changed = await shopper.call("PUT", path, {"line1": "125 Main St", "line2": None}, If_Match=entry["etag"])
    assert changed.status_code == 200, changed.text
    assert (changed.json()["line1"], "line2" in changed.json()) == ("125 Main St", False)
    assert changed.json()["phone"] == "+14155550132"
    assert (await shopper.call("PUT", path, {"city": "Oakland"}, If_Match=entry["etag"])).status_code == 412
    same = await shopper.call("PUT", path, {"city": entry["city"]})
    assert same.headers["etag"] == changed.headers["etag"]
    wrong = await shopper.call("PUT", path, {"state": "NY"})
    assert (wrong.status_code, rule_of(wrong)) == (422, "address_invalid")
    (fault,) = wrong.json()["error"]["details"]["faults"]
    assert (fault["path"], fault["message"]) == ("/postal_code", "This postal code is not in New York.")
    assert rule_of(await shopper.call("POST", BOOK, {**HOME, "postal_code": "10001"})) == "address_invalid"


async def test_the_default_moves(shop: Shop) -> None:
    shopper = await customer(shop)
    one, two, three = [await added(shopper) for _ in range(3)]
    made = await shopper.call("PUT", f"{BOOK}/{two['address_id']}/default", If_Match=two["etag"])
    assert (made.status_code, made.json()["is_default"]) == (200, True)
    again = await shopper.call("PUT", f"{BOOK}/{two['address_id']}/default")
    assert again.headers["etag"] == made.headers["etag"]
    assert await defaults(shopper) == {"shipping": two["address_id"]}
    assert (await shopper.call("PUT", f"{BOOK}/{two['address_id']}", {"is_default": False})).status_code == 200
    assert await defaults(shopper) == {"shipping": three["address_id"]}
    assert (await shopper.call("PUT", f"{BOOK}/{one['address_id']}", {"is_default": True})).status_code == 200
    assert await defaults(shopper) == {"shipping": one["address_id"]}
    moved = await shopper.call("PUT", f"{BOOK}/{one['address_id']}", {"type": "billing"})
    assert (moved.json()["type"], moved.json()["is_default"]) == ("billing", True)
    assert await defaults(shopper) == {"billing": one["address_id"], "shipping": three["address_id"]}
    assert (await shopper.call("DELETE", f"{BOOK}/{three['address_id']}")).status_code == 204
    assert await defaults(shopper) == {"billing": one["address_id"], "shipping": two["address_id"]}
    alone = await shopper.call("PUT", f"{BOOK}/{one['address_id']}", {"is_default": False})
    assert alone.json()["is_default"]


async def test_deleting(shop: Shop) -> None:
    shopper, stranger = await customer(shop), await customer(shop)
    entry = await added(shopper)
    path = f"{BOOK}/{entry['address_id']}"
    assert (await stranger.call("DELETE", path)).status_code == 404
    assert (await shopper.call("DELETE", path, If_Match='"other"')).status_code == 412
    assert (await shopper.call("DELETE", path, If_Match=entry["etag"])).status_code == 204
    for method, body in (("DELETE", None), ("PUT", {"city": "Oakland"})):
        assert (await shopper.call(method, path, body)).status_code == 404
    assert (await shopper.call("PUT", f"{path}/default")).status_code == 404
    assert await entries(shopper) == []


async def test_pages_of_the_book(shop: Shop) -> None:
    shopper = await customer(shop)
    ids = [(await added(shopper))["address_id"] for _ in range(5)]
    first = (await shopper.call("GET", f"{BOOK}?limit=2")).json()
    second = (await shopper.call("GET", f"{BOOK}?limit=2&cursor={first['next_cursor']}")).json()
    third = (await shopper.call("GET", f"{BOOK}?limit=2&page=3")).json()
    shown = [entry["address_id"] for page in (first, second, third) for entry in page["items"]]
    assert shown == [ids[0], *reversed(ids[1:])]
    assert ([first["page"], second["page"], third["page"]], third["next_cursor"]) == ([1, 2, 3], None)
    assert {first["total"], third["total"]} == {5}
    other = await customer(shop)
    assert (await other.call("GET", f"{BOOK}?limit=2&cursor={first['next_cursor']}")).status_code == 400


async def test_parallel_entries_have_one_default_and_a_limit(shop: Shop) -> None:
    shopper = await customer(shop)
    answers = await asyncio.gather(*(shopper.call("POST", BOOK, HOME) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await defaults(shopper)) == 1
    now = "2026-01-25T10:45:00.000Z"
    for number in range(43):
        entry = rules.new_entry(shopper.user_id, f"address-{number}", "shipping", HOME, now)
        await shop.services.store.write(store.CONTAINER, Create(entry))
    answers = await asyncio.gather(*(shopper.call("POST", BOOK, HOME) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422]
    assert {rule_of(answer) for answer in answers if answer.status_code == 422} == {"limit_reached"}
    answers = await asyncio.gather(*(shopper.call("DELETE", f"{BOOK}/address-{n}") for n in range(6)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(await defaults(shopper)) == 1


async def test_a_contested_book_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shopper = await customer(shop)

    async def faster(*_: Any) -> Any:
        raise VersionConflict("somebody else")

    with monkeypatch.context() as patch:
        patch.setattr(shop.services.store, "batch", faster)
        assert (await shopper.call("POST", BOOK, HOME)).status_code == 503
    assert await entries(shopper) == []


async def test_validation_is_an_answer_and_no_error(shop: Shop) -> None:
    shopper = await guest(shop)
    path = "/api/addresses/validate"
    good = (await shopper.call("POST", path, {**HOME, "state": "ca", "line2": " Apt 4B "})).json()
    assert (good["valid"], good["issues"], good["normalized"]["line2"]) == (True, [], "Apt 4B")
    bad = (await shopper.call("POST", path, {**HOME, "postal_code": "10001"})).json()
    message = "This postal code is not in California."
    issue = {"path": "/postal_code", "code": "mismatch", "severity": "error", "message": message}
    assert (bad["valid"], bad["issues"]) == (False, [issue])
    assert (await shopper.call("POST", path, {**HOME, "postal_code": "!"})).status_code == 400
    assert (await Shopper(shop).call("POST", path, HOME)).status_code == 401


async def test_a_deleted_user_leaves_no_addresses(shop: Shop) -> None:
    shopper = await customer(shop)
    await added(shopper)
    for _ in range(2):
        await on_user_deleted(event_of("UserDeleted", {"user_id": shopper.user_id}), shop.services)
        assert await entries(shopper) == []
    await on_user_deleted(event_of("UserDeleted", {"user_id": f"user-{uuid4().hex}"}), shop.services)
