"""Saved payment methods over HTTP, with Stripe's stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from handlers.contract.services import EventServices
from handlers.payment_methods import store
from handlers.payment_methods.events import on_user_deleted
from handlers.platform.events import Event
from handlers.platform.patience import Transient
from infra.local.stripe.faults import Fault
from tests.support.paying import ADDRESS, Paying, paying
from tests.support.people import Person, rule_of, signed_in

PATH = "/api/users/me/payment-methods"


@pytest.fixture
async def shop(tmp_path: Path, redis_url: str) -> AsyncIterator[Paying]:
    """An application with a stand-in of its own."""
    async with paying(tmp_path, redis_url) as running:
        yield running


@pytest.fixture
async def dana(shop: Paying) -> Person:
    """A customer, signed in."""
    return await signed_in(shop.running)


async def add(shop: Paying, person: Person, token: str = "pm_card_visa", **more: Any) -> httpx.Response:
    return await shop.running.client.post(PATH, json={"stripe_token": token, **more}, headers=person.bearer)


async def saved(shop: Paying, person: Person, token: str = "pm_card_visa", **more: Any) -> dict[str, Any]:
    answer = await add(shop, person, token, **more)
    assert answer.status_code == 201, answer.text
    method: dict[str, Any] = answer.json()
    return method


async def listed(shop: Paying, person: Person, **params: Any) -> dict[str, Any]:
    answer = await shop.running.client.get(PATH, headers=person.bearer, params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def delete(shop: Paying, person: Person, method_id: str) -> httpx.Response:
    return await shop.running.client.delete(f"{PATH}/{method_id}", headers=person.bearer)


def deleted_event(person: Person) -> Event[Any]:
    return Event(
        id="event-1",
        type="UserDeleted",
        version="1.0",
        timestamp="2026-01-25T10:00:00Z",
        source="crud-service",
        data={"user_id": person.user_id},
        correlation_id="request-1",
        causation_id="request-1",
        group="crud-payment-methods",
        topic="user-events",
        key=person.user_id,
    )


async def test_a_card_is_saved_with_what_people_need_to_recognise_it(shop: Paying, dana: Person) -> None:
    answer = await add(shop, dana, billing_address=ADDRESS)
    assert answer.status_code == 201
    method = answer.json()
    assert {key: method[key] for key in ("type", "brand", "last4", "exp_month", "exp_year", "is_default")} == {
        "type": "credit_card",
        "brand": "Visa",
        "last4": "4242",
        "exp_month": 12,
        "exp_year": 2034,
        "is_default": True,
    }
    assert method["billing_address"] == ADDRESS
    assert answer.headers["etag"]
    assert (await listed(shop, dana))["items"] == [method]


async def test_the_customer_at_stripe_is_made_once(shop: Paying, dana: Person) -> None:
    answers = await asyncio.gather(
        add(shop, dana), add(shop, dana, "pm_card_mastercard"), add(shop, dana, "pm_card_amex")
    )
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    customers = shop.stripe.account.state.all("customer")
    assert [each["metadata"] for each in customers] == [{"user_id": dana.user_id}]
    assert customers[0]["email"] == dana.email
    assert len(shop.stripe.account.state.all("payment_method", customer=customers[0]["id"])) == 3
    assert [each["is_default"] for each in (await listed(shop, dana))["items"]] == [True, False, False]


async def test_a_card_that_its_issuer_declines_is_not_saved(shop: Paying, dana: Person) -> None:
    answer = await add(shop, dana, "pm_card_visa_chargeDeclinedInsufficientFunds")
    assert (answer.status_code, rule_of(answer)) == (422, "payment_declined")
    assert answer.json()["error"]["details"]["decline_code"] == "insufficient_funds"
    assert answer.json()["error"]["message"] == "Your card has insufficient funds."
    assert (await listed(shop, dana))["items"] == []


async def test_a_card_that_fails_only_when_charged_is_saved(shop: Paying, dana: Person) -> None:
    assert (await saved(shop, dana, "pm_card_chargeCustomerFail"))["last4"] == "0341"


@pytest.mark.parametrize("token", ["pm_unknown", "pm_1Nobodys000000000000000"])
async def test_what_is_not_there_is_invalid(shop: Paying, dana: Person, token: str) -> None:
    answer = await add(shop, dana, token)
    assert (answer.status_code, rule_of(answer)) == (422, "payment_method_invalid")


async def test_card_numbers_never_come_here(shop: Paying, dana: Person) -> None:
    assert (await add(shop, dana, "4242424242424242")).status_code == 400


async def test_the_same_card_is_saved_once(shop: Paying, dana: Person) -> None:
    first = await saved(shop, dana)
    again = await add(shop, dana)
    assert (again.status_code, rule_of(again)) == (409, "in_use")
    assert again.json()["error"]["details"]["payment_method_id"] == first["payment_method_id"]
    answers = await asyncio.gather(*(add(shop, dana, "pm_card_mastercard") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    attached = [each for each in shop.stripe.account.state.all("payment_method") if each["customer"]]
    assert len(attached) == 2  # what was attached for nothing was taken back


async def test_a_method_of_another_customer_is_invalid(shop: Paying, dana: Person) -> None:
    await saved(shop, dana)
    stripe_id = next(each["id"] for each in shop.stripe.account.state.all("payment_method") if each["customer"])
    other = await signed_in(shop.running)
    answer = await add(shop, other, stripe_id)
    assert (answer.status_code, rule_of(answer)) == (422, "payment_method_invalid")


async def test_a_method_that_stripe_js_has_saved_is_taken_as_it_is(shop: Paying, dana: Person) -> None:
    await saved(shop, dana)
    customer = shop.stripe.account.state.all("customer")[0]["id"]
    partner = shop.services.gateway
    found = await partner.find_method("pm_card_amex")
    await partner.attach(found.id, customer, "by-a-setup-intent")
    assert (await saved(shop, dana, found.id))["brand"] == "American Express"
    assert rule_of(await add(shop, dana, found.id)) == "in_use"


async def test_twenty_at_most(shop: Paying, dana: Person) -> None:
    from infra.local.stripe import customers  # noqa: PLC0415

    for number in range(20):
        made = customers.create_method(
            shop.stripe.account,
            {"type": "card", "card": {"number": "4242424242424242", "exp_year": str(2030 + number)}},
        )
        await saved(shop, dana, made["id"])
    answer = await add(shop, dana, "pm_card_mastercard")
    assert (answer.status_code, rule_of(answer)) == (422, "limit_reached")
    page = await listed(shop, dana, limit=15)
    assert (page["total"], len(page["items"]), page["page"]) == (20, 15, 1)
    rest = await listed(shop, dana, limit=15, cursor=page["next_cursor"])
    assert (len(rest["items"]), rest["page"], rest["next_cursor"]) == (5, 2, None)


async def test_the_default_first_then_the_newest(shop: Paying, dana: Person) -> None:
    visa, master = await saved(shop, dana), await saved(shop, dana, "pm_card_mastercard")
    amex, jcb = await saved(shop, dana, "pm_card_amex", is_default=True), await saved(shop, dana, "pm_card_jcb")
    ids = [each["payment_method_id"] for each in (amex, jcb, master, visa)]
    page = await listed(shop, dana)
    assert [each["payment_method_id"] for each in page["items"]] == ids
    assert [each["is_default"] for each in page["items"]] == [True, False, False, False]
    assert (await delete(shop, dana, ids[0])).status_code == 204
    page = await listed(shop, dana)
    assert [each["payment_method_id"] for each in page["items"]] == ids[1:]
    assert [each["is_default"] for each in page["items"]] == [True, False, False]


async def test_deleting_removes_it_at_stripe_too(shop: Paying, dana: Person) -> None:
    method = await saved(shop, dana)
    assert (await delete(shop, dana, method["payment_method_id"])).status_code == 204
    assert (await delete(shop, dana, method["payment_method_id"])).status_code == 404
    assert all(each["customer"] is None for each in shop.stripe.account.state.all("payment_method"))
    assert (await listed(shop, dana))["items"] == []
    await saved(shop, dana)  # and it may come back


async def test_nobody_elses(shop: Paying, dana: Person) -> None:
    method = await saved(shop, dana)
    other = await signed_in(shop.running)
    assert (await delete(shop, other, method["payment_method_id"])).status_code == 404
    assert (await listed(shop, other))["items"] == []


async def test_billing_address_from_the_address_book(shop: Paying, dana: Person) -> None:
    entry = (await shop.running.client.post("/api/users/me/addresses", json=ADDRESS, headers=dana.bearer)).json()
    method = await saved(shop, dana, billing_address_id=entry["address_id"])
    assert method["billing_address"] == ADDRESS
    assert method["billing_address_id"] == entry["address_id"]
    unknown = await add(shop, dana, "pm_card_jcb", billing_address_id="address-nobodys")
    assert (unknown.status_code, rule_of(unknown)) == (422, "reference_not_found")
    both = await add(shop, dana, "pm_card_jcb", billing_address_id=entry["address_id"], billing_address=ADDRESS)
    assert (both.status_code, rule_of(both)) == (422, "address_invalid")
    wrong = await add(shop, dana, "pm_card_jcb", billing_address={**ADDRESS, "postal_code": "1234567"})
    assert (wrong.status_code, rule_of(wrong)) == (422, "address_invalid")


async def test_a_paypal_account(shop: Paying, dana: Person) -> None:
    from infra.local.stripe import customers  # noqa: PLC0415

    def account() -> str:
        given = {"type": "paypal", "billing_details": {"email": "dana@example.com"}}
        return str(customers.create_method(shop.stripe.account, given)["id"])

    method = await saved(shop, dana, account())
    assert (method["type"], method["brand"], method["last4"], method["exp_year"]) == ("paypal", None, None, None)
    assert rule_of(await add(shop, dana, account())) == "in_use"


async def test_while_stripe_is_away_nothing_changes(shop: Paying, dana: Person) -> None:
    method = await saved(shop, dana)
    shop.stripe.faults.add(Fault("reset_before", times=100))
    for answer in (await add(shop, dana, "pm_card_jcb"), await delete(shop, dana, method["payment_method_id"])):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
    shop.stripe.faults.clear()
    assert (await listed(shop, dana))["items"] == [method]


async def test_without_a_provider_it_is_503(tmp_path: Path, redis_url: str) -> None:
    from tests.support.app import running_app  # noqa: PLC0415

    async with running_app(tmp_path, redis_url) as running:
        dana = await signed_in(running)
        answer = await running.client.post(PATH, json={"stripe_token": "pm_card_visa"}, headers=dana.bearer)
        assert answer.status_code == 503
        assert (await running.client.get(PATH, headers=dana.bearer)).json()["items"] == []


async def test_what_was_lost_on_the_way_back_is_saved_once(shop: Paying, dana: Person) -> None:
    shop.stripe.faults.add(Fault("reset_after", on="customers.create"))
    shop.stripe.faults.add(Fault("reset_after", on="payment_methods.attach"))
    await saved(shop, dana)
    assert len(shop.stripe.account.state.all("customer")) == 1
    assert len([each for each in shop.stripe.account.state.all("payment_method") if each["customer"]]) == 1


async def test_a_deleted_user_leaves_nothing_behind(shop: Paying, dana: Person) -> None:
    await saved(shop, dana)
    services: EventServices = shop.services
    shop.stripe.faults.add(Fault(500, times=10))
    with pytest.raises(Transient):
        await on_user_deleted(deleted_event(dana), services)
    shop.stripe.faults.clear()
    for _ in range(2):
        await on_user_deleted(deleted_event(dana), services)
    assert shop.stripe.account.state.all("customer")[0].get("deleted")
    assert all(each["customer"] is None for each in shop.stripe.account.state.all("payment_method"))
    wallet = await store.read(services.store, dana.user_id)
    assert (wallet.methods, wallet.row) == ([], None)
