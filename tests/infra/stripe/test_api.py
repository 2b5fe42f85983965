"""The stand-in against Stripe's reference: keys, versions, parameters, idempotency, states, limits, pages, events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.stripe import PUBLISHABLE_KEY, SECRET_KEY
from infra.local.stripe.account import VERSION
from infra.local.stripe.faults import Fault
from infra.local.stripe.http import serving
from infra.local.stripe.server import Server
from infra.local.stripe.wire import parse_form

Json = dict[str, Any]


class Caller:
    """Calls the stand-in with forms, as a library does."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def send(self, method: str, path: str, form: Json | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, data=form, headers=named)

    async def ok(self, path: str, form: Json | None = None, **headers: str) -> Json:
        answer = await self.send("POST", path, form, **headers)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def refused(self, path: str, form: Json | None = None, status: int = 400, **headers: str) -> Json:
        answer = await self.send("POST", path, form, **headers)
        assert answer.status_code == status, answer.text
        error: Json = answer.json()["error"]
        return error

    async def get(self, path: str) -> Json:
        answer = await self.send("GET", path)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body


class Time:
    """The time that the stand-in sees."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Time:
    """A clock to turn."""
    return Time()


@pytest.fixture
async def stripe(now: Time) -> AsyncIterator[Server]:
    """A stand-in."""
    async with serving(now=now) as server:
        yield server


@pytest.fixture
async def shop(stripe: Server) -> AsyncIterator[Caller]:
    """The shop's side, with the secret key."""
    async with httpx.AsyncClient(base_url=stripe.url, headers={"authorization": f"Bearer {SECRET_KEY}"}) as http:
        yield Caller(http)


INTENT = {"amount": "1999", "currency": "usd"}
VISA = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1/return"}


async def intent(shop: Caller, **more: str) -> Json:
    return await shop.ok("/v1/payment_intents", {**INTENT, **more})


# --- around operations
async def test_the_key(shop: Caller) -> None:
    wrong = await shop.refused("/v1/customers", {}, 401, authorization="Bearer sk_test_other")
    assert wrong["type"] == "invalid_request_error"
    assert "sk_test_other" not in wrong["message"]
    assert (await shop.refused("/v1/customers", {}, 401, authorization="Basic x"))["message"]


async def test_the_version_and_the_request_id(shop: Caller) -> None:
    assert (await shop.send("POST", "/v1/customers", {}, stripe_version="2020-08-27")).status_code == 400
    answer = await shop.send("POST", "/v1/customers", {}, stripe_version=VERSION)
    assert answer.headers["stripe-version"] == VERSION
    assert answer.headers["request-id"].startswith("req_")


async def test_an_unknown_path(shop: Caller) -> None:
    assert "Unrecognized request URL" in (await shop.refused("/v1/unicorns", {}, 404))["message"]
    assert (await shop.send("DELETE", "/v1/payment_intents")).status_code == 404


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({**INTENT, "colour": "red"}, "parameter_unknown", "colour"),
        ({**INTENT, "shipping[colour]": "red"}, "parameter_unknown", "shipping[colour]"),
        ({**INTENT, "shipping": "here"}, "parameter_invalid", "shipping"),
        ({**INTENT, "amount": "19.99"}, "parameter_invalid_integer", "amount"),
        ({**INTENT, "amount": "0"}, "parameter_invalid_integer", "amount"),
        ({**INTENT, "amount": "20"}, "amount_too_small", "amount"),
        ({**INTENT, "amount": "100000000"}, "amount_too_large", "amount"),
        ({**INTENT, "currency": "dollar"}, "parameter_invalid", "currency"),
        ({**INTENT, "confirm": "yes"}, "parameter_invalid", "confirm"),
        ({**INTENT, "setup_future_usage": "never"}, "parameter_invalid", "setup_future_usage"),
        ({**INTENT, "description": "x" * 5001}, "parameter_invalid_string", "description"),
        ({**INTENT, "description[a]": "x"}, "parameter_invalid_string", "description"),
        ({**INTENT, "metadata[key]": "x" * 501}, "parameter_invalid", "metadata"),
        ({**INTENT, "metadata": "x"}, "parameter_invalid", "metadata"),
        ({**INTENT, "customer": "cus_nobody"}, "resource_missing", "customer"),
        ({**INTENT, "payment_method": "pm_nobody"}, "resource_missing", "payment_method"),
    ],
)
async def test_parameters(shop: Caller, form: Json, code: str, param: str) -> None:
    error = await shop.refused("/v1/payment_intents", form)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


def test_nested_forms() -> None:
    assert parse_form(b"a=1&b[c]=2&b[d][e]=3&f[0]=4&f[1]=5&g[]=6&g[]=7&h[0][i]=8&j=") == {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}},
        "f": ["4", "5"],
        "g": ["6", "7"],
        "h": [{"i": "8"}],
        "j": "",
    }


# --- idempotency
async def test_a_key_repeats_the_first_answer_for_a_day(shop: Caller, now: Time) -> None:
    first = await shop.send("POST", "/v1/payment_intents", INTENT, idempotency_key="k")
    again = await shop.send("POST", "/v1/payment_intents", INTENT, idempotency_key="k")
    assert again.json() == first.json()
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    now.seconds += 24 * 3600
    assert (await shop.ok("/v1/payment_intents", INTENT, idempotency_key="k"))["id"] != first.json()["id"]


async def test_a_key_is_for_one_request(shop: Caller) -> None:
    await shop.ok("/v1/payment_intents", INTENT, idempotency_key="k")
    other = await shop.refused("/v1/payment_intents", {**INTENT, "amount": "5"}, idempotency_key="k")
    path = await shop.refused("/v1/customers", {}, idempotency_key="k")
    long = await shop.refused("/v1/customers", {}, idempotency_key="k" * 256)
    assert {error["type"] for error in (other, path, long)} == {"idempotency_error"}


async def test_a_decline_and_a_500_are_kept_and_a_400_before_the_start_is_not(shop: Caller, stripe: Server) -> None:
    made = await intent(shop)
    path = f"/v1/payment_intents/{made['id']}/confirm"
    declining = {**VISA, "payment_method": "pm_card_visa_chargeDeclined"}
    for _ in range(2):
        assert (await shop.refused(path, declining, 402, idempotency_key="k"))["code"] == "card_declined"
    assert len(stripe.account.state.all("charge")) == 1
    stripe.faults.add(Fault(500))
    for _ in range(2):
        assert (await shop.refused("/v1/customers", {}, 500, idempotency_key="five"))["type"] == "api_error"
    await shop.refused("/v1/customers", {"x": "1"}, idempotency_key="wrong")
    await shop.ok("/v1/customers", {}, idempotency_key="wrong")
    stripe.faults.add(Fault(429))
    await shop.refused("/v1/customers", {}, 429, idempotency_key="limited")
    await shop.ok("/v1/customers", {}, idempotency_key="limited")


async def test_a_key_in_use(shop: Caller, stripe: Server) -> None:
    stripe.faults.add(Fault("slow", seconds=0.2))
    slow = asyncio.create_task(shop.ok("/v1/customers", {}, idempotency_key="k"))
    await asyncio.sleep(0.05)
    assert (await shop.refused("/v1/customers", {}, 409, idempotency_key="k"))["code"] == "idempotency_key_in_use"
    assert (await shop.ok("/v1/customers", {}, idempotency_key="other"))["id"] != (await slow)["id"]


# --- states
async def test_the_states_of_an_intent(shop: Caller, stripe: Server) -> None:
    made = await intent(shop)
    path = f"/v1/payment_intents/{made['id']}"
    assert made["status"] == "requires_payment_method"
    assert (await intent(shop, payment_method="pm_card_visa"))["status"] == "requires_confirmation"
    missing = await shop.refused(f"{path}/confirm", {"return_url": "http://x"})
    assert (missing["code"], missing["param"]) == ("payment_intent_unexpected_state", "payment_method")
    assert (await shop.refused(f"{path}/confirm", {"payment_method": "pm_card_visa"}))["param"] == "return_url"
    asked = await shop.ok(f"{path}/confirm", {**VISA, "payment_method": "pm_card_authenticationRequired"})
    assert (asked["status"], asked["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    assert stripe.authenticate(made["id"], "processing")["status"] == "processing"
    assert (await shop.refused(f"{path}/cancel"))["payment_intent"]["status"] == "processing"
    paid = stripe.authenticate(made["id"])
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 1999)
    assert (await shop.refused(f"{path}/confirm", VISA))["code"] == "payment_intent_unexpected_state"
    ended = await shop.ok(
        f"/v1/payment_intents/{(await intent(shop))['id']}/cancel", {"cancellation_reason": "abandoned"}
    )
    assert (ended["status"], ended["cancellation_reason"]) == ("canceled", "abandoned")


async def test_a_decline_leaves_the_intent_open(shop: Caller) -> None:
    made = await intent(shop)
    path = f"/v1/payment_intents/{made['id']}"
    error = await shop.refused(f"{path}/confirm", {**VISA, "payment_method": "pm_card_chargeDeclinedExpiredCard"}, 402)
    assert (error["type"], error["code"], error["payment_intent"]["id"]) == ("card_error", "expired_card", made["id"])
    seen = await shop.get(path)
    assert (seen["status"], seen["payment_method"], seen["last_payment_error"]["code"]) == (
        "requires_payment_method",
        None,
        "expired_card",
    )
    assert (await shop.ok(f"{path}/confirm", VISA))["last_payment_error"] is None


async def test_authentication_when_the_customer_is_not_there(shop: Caller) -> None:
    for name in ("off_session", "error_on_requires_action"):
        form = {**INTENT, **VISA, "payment_method": "pm_card_authenticationRequired", "confirm": "true", name: "true"}
        assert (await shop.refused("/v1/payment_intents", form, 402))["code"] == "authentication_required"


async def test_whose_payment_method(shop: Caller) -> None:
    dana, robin = await shop.ok("/v1/customers", {}), await shop.ok("/v1/customers", {})
    method = await shop.ok("/v1/payment_methods/pm_card_visa/attach", {"customer": dana["id"]})
    using = {"payment_method": method["id"], "return_url": "http://x"}
    for made in (await intent(shop), await intent(shop, customer=robin["id"])):
        error = await shop.refused(f"/v1/payment_intents/{made['id']}/confirm", using)
        assert "belongs to the Customer" in error["message"]
    assert (await shop.refused("/v1/payment_intents", {**INTENT, "payment_method": method["id"]}))["code"]
    taken = await shop.refused(f"/v1/payment_methods/{method['id']}/attach", {"customer": robin["id"]})
    assert "already been attached" in taken["message"]
    await shop.ok(f"/v1/payment_methods/{method['id']}/detach")
    assert (await shop.refused(f"/v1/payment_methods/{method['id']}/detach"))["message"]
    again = await shop.refused(f"/v1/payment_methods/{method['id']}/attach", {"customer": dana["id"]})
    assert "may not be used again" in again["message"]


async def test_a_method_saved_by_paying(shop: Caller) -> None:
    dana = await shop.ok("/v1/customers", {"email": "dana@example.com"})
    made = await intent(shop, customer=dana["id"])
    using = {**VISA, "setup_future_usage": "off_session"}
    paid = await shop.ok(f"/v1/payment_intents/{made['id']}/confirm", using)
    listed = await shop.get(f"/v1/customers/{dana['id']}/payment_methods?type=card")
    assert [each["id"] for each in listed["data"]] == [paid["payment_method"]]
    once = await intent(shop)
    used = await shop.ok(f"/v1/payment_intents/{once['id']}/confirm", VISA)
    more = await intent(shop)
    form = {"payment_method": used["payment_method"], "return_url": "http://x"}
    assert "may not be used again" in (await shop.refused(f"/v1/payment_intents/{more['id']}/confirm", form))["message"]


async def test_only_types_that_were_named(shop: Caller) -> None:
    made = await shop.ok("/v1/payment_intents", {**INTENT, "allowed_payment_method_types[0]": "paypal"})
    assert made["payment_method_types"] == made["allowed_payment_method_types"] == ["paypal"]
    error = await shop.refused(f"/v1/payment_intents/{made['id']}/confirm", VISA)
    assert "is not allowed" in error["message"]


# --- refunds
async def test_the_limits_of_refunds(shop: Caller, stripe: Server) -> None:
    made = await intent(shop)
    nothing = await shop.refused("/v1/refunds", {"payment_intent": made["id"]})
    assert "does not have a successful charge" in nothing["message"]
    paid = await shop.ok(f"/v1/payment_intents/{made['id']}/confirm", VISA)
    over = await shop.refused("/v1/refunds", {"payment_intent": made["id"], "amount": "2000"})
    assert (over["param"], "$20.00" in over["message"]) == ("amount", True)
    assert (await shop.refused("/v1/refunds", {"charge": paid["latest_charge"], "amount": "0"}))["param"] == "amount"
    part = await shop.ok("/v1/refunds", {"charge": paid["latest_charge"], "amount": "999"})
    await shop.ok("/v1/refunds", {"payment_intent": made["id"], "reason": "requested_by_customer"})
    full = await shop.refused("/v1/refunds", {"payment_intent": made["id"]})
    assert full["code"] == "charge_already_refunded"
    assert stripe.account.state.get("charge", paid["latest_charge"])["refunded"] is True
    stripe.settle_refund(part["id"], "failed")
    charge = stripe.account.state.get("charge", paid["latest_charge"])
    assert (charge["amount_refunded"], charge["refunded"]) == (1000, False)
    for form in ({}, {"payment_intent": "pi_nobody"}, {"charge": "ch_nobody"}):
        assert (await shop.refused("/v1/refunds", form))["code"] in ("parameter_missing", "resource_missing")
    listed = await shop.get(f"/v1/refunds?charge={paid['latest_charge']}")
    assert len(listed["data"]) == 2
    assert (await shop.get(f"/v1/refunds/{part['id']}"))["status"] == "failed"


# --- reading
async def test_pages(shop: Caller) -> None:
    ids = [(await intent(shop))["id"] for _ in range(5)][::-1]
    first = await shop.get("/v1/payment_intents?limit=2")
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (ids[:2], True)
    rest = await shop.get(f"/v1/payment_intents?limit=3&starting_after={ids[1]}")
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (ids[2:], False)
    back = await shop.get(f"/v1/payment_intents?limit=2&ending_before={ids[3]}")
    assert ([each["id"] for each in back["data"]], back["has_more"]) == (ids[1:3], True)
    for query in ("limit=0", "limit=101", "starting_after=pi_nobody", "limit=x"):
        assert (await shop.send("GET", f"/v1/payment_intents?{query}")).status_code == 400


async def test_search_and_expand(shop: Caller) -> None:
    made = await shop.ok("/v1/payment_intents", {**INTENT, "metadata[order_id]": "order-1"})
    await intent(shop)
    found = await shop.get(
        "/v1/payment_intents/search?query=metadata['order_id']:'order-1' AND status:'requires_payment_method'"
    )
    assert [each["id"] for each in found["data"]] == [made["id"]]
    assert (await shop.send("GET", "/v1/payment_intents/search?query=colour")).status_code == 400
    await shop.ok(f"/v1/payment_intents/{made['id']}/confirm", VISA)
    seen = await shop.get(f"/v1/payment_intents/{made['id']}?expand[]=latest_charge")
    assert seen["latest_charge"]["payment_method_details"]["card"]["last4"] == "4242"
    listed = await shop.get("/v1/payment_intents?expand[]=data.latest_charge")
    assert listed["data"][1]["latest_charge"]["paid"] is True
    assert (await shop.send("GET", f"/v1/payment_intents/{made['id']}?expand[]=colour")).status_code == 400


async def test_customers(shop: Caller) -> None:
    made = await shop.ok("/v1/customers", {"email": "dana@example.com", "metadata[a]": "1", "metadata[b]": "2"})
    changed = await shop.ok(f"/v1/customers/{made['id']}", {"name": "Dana", "metadata[a]": ""})
    assert (changed["name"], changed["metadata"]) == ("Dana", {"b": "2"})
    assert len((await shop.get("/v1/customers?email=dana@example.com"))["data"]) == 1
    assert (await shop.send("DELETE", f"/v1/customers/{made['id']}")).json()["deleted"] is True
    assert (await shop.get(f"/v1/customers/{made['id']}"))["deleted"] is True
    assert (await shop.send("DELETE", f"/v1/customers/{made['id']}")).status_code == 404
    assert (await shop.get("/v1/customers"))["data"] == []
    assert (await shop.send("GET", "/v1/payment_methods")).status_code == 400


# --- the browser
async def test_what_a_browser_may(shop: Caller) -> None:
    key = f"Bearer {PUBLISHABLE_KEY}"
    form = {"type": "card", "card[number]": "4242 4242 4242 4242", "card[cvc]": "123"}
    method = await shop.ok("/v1/payment_methods", form, authorization=key)
    assert "number" not in str(method)
    wrong = await shop.refused("/v1/payment_methods", {**form, "card[number]": "4242424242424241"}, 402)
    assert wrong["code"] == "incorrect_number"
    assert (await shop.refused("/v1/customers", {}, 401, authorization=key))["code"] == "secret_key_required"
    made = await intent(shop)
    path = f"/v1/payment_intents/{made['id']}/confirm"
    using = {"payment_method": method["id"], "return_url": "http://x"}
    await shop.refused(path, {**using, "client_secret": "guessed"}, authorization=key)
    paid = await shop.ok(path, {**using, "client_secret": made["client_secret"]}, authorization=key)
    assert paid["status"] == "succeeded"


# --- its own
async def test_controls(shop: Caller, stripe: Server) -> None:
    control = shop.http
    faults = [{"effect": "reset_before", "on": "customers.create"}]
    assert (await control.put("/stand-in/faults", json=faults)).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        await shop.ok("/v1/customers", {})
    assert (await control.delete("/stand-in/faults")).json() == {"happened": 1}
    made = await intent(shop)
    await shop.ok(
        f"/v1/payment_intents/{made['id']}/confirm", {**VISA, "payment_method": "pm_card_authenticationRequired"}
    )
    assert (await control.post("/stand-in/authenticate", json={"id": made["id"]})).json()["status"] == "succeeded"
    refused = await control.post("/stand-in/authenticate", json={"id": made["id"]})
    assert refused.status_code == 400
    refund = await shop.ok("/v1/refunds", {"payment_intent": made["id"]})
    settled = await control.post("/stand-in/settle", json={"id": refund["id"], "outcome": "failed"})
    assert settled.json()["status"] == "failed"
    await control.put("/stand-in/endpoint", json={"url": "http://127.0.0.1:9", "secret": "whsec_x", "events": []})
    assert stripe.webhooks.endpoint is not None
    assert (await control.get("/stand-in/calls")).json()["refunds.create"] == 1
    assert (await control.get("/stand-in/nothing")).status_code == 404
    stranger = await control.get("/stand-in/calls", headers={"authorization": "Bearer other"})
    assert stranger.status_code == 401
    with pytest.raises(ValueError, match="no effect"):
        stripe.faults.add(Fault("explode"))


async def test_what_happens_at_stripe_itself(shop: Caller, stripe: Server) -> None:
    """Without a word of the shop's in it: Stripe's own rules, its dashboard, the cardholder's bank."""
    control, made = shop.http, await intent(shop)
    ended = (await control.post("/stand-in/cancel", json={"id": made["id"]})).json()
    assert (ended["status"], ended["cancellation_reason"]) == ("canceled", "automatic")
    assert (await control.post("/stand-in/cancel", json={"id": made["id"]})).status_code == 400
    paid = await intent(shop)
    undisputed = await control.post("/stand-in/dispute", json={"id": paid["id"]})
    assert undisputed.status_code == 400
    await shop.ok(f"/v1/payment_intents/{paid['id']}/confirm", {**VISA, "return_url": "http://x"})
    part = (await control.post("/stand-in/refund", json={"id": paid["id"], "amount": 500})).json()
    assert (part["amount"], part["metadata"]) == (500, {})
    dispute = (
        await control.post("/stand-in/dispute", json={"id": paid["id"], "reason": "product_not_received"})
    ).json()
    assert (dispute["object"], dispute["amount"], dispute["metadata"]) == ("dispute", paid["amount"] - 500, {})
    assert (await control.post("/stand-in/dispute", json={"id": paid["id"]})).status_code == 400
    refused = await shop.refused("/v1/refunds", {"payment_intent": paid["id"]})
    assert refused["code"] == "charge_disputed"
    kinds = [each["type"] for each in stripe.account.state.all("event")]
    assert {"payment_intent.canceled", "charge.refunded", "charge.dispute.created"} <= set(kinds)


async def test_what_it_holds_outlives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "stripe.sqlite3"
    headers = {"authorization": f"Bearer {SECRET_KEY}"}
    async with serving(file=file) as first, httpx.AsyncClient(base_url=first.url, headers=headers) as http:
        dana = await Caller(http).ok("/v1/customers", {}, idempotency_key="k")
        method = await Caller(http).ok("/v1/payment_methods/pm_card_visa/attach", {"customer": dana["id"]})
    async with serving(file=file) as second, httpx.AsyncClient(base_url=second.url, headers=headers) as http:
        assert (await Caller(http).ok("/v1/customers", {}, idempotency_key="k"))["id"] == dana["id"]
        form = {
            **INTENT,
            "customer": dana["id"],
            "payment_method": method["id"],
            "confirm": "true",
            "return_url": "http://x",
        }
        assert (await Caller(http).ok("/v1/payment_intents", form))["status"] == "succeeded"
