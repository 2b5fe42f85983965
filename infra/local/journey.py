"""`make demo`: one shopper's journey through a running shop, by its published API, told as it goes.

`python -m infra.local.journey [--base URL]`: signs up, proves the address, browses, fills a cart, orders with a saved
card, follows the order to its delivery (the carrier's part is played by the demo account of staff); then a second order
that is cancelled, with stock and money seen coming back. Exit code 0 when everything came out as it should, 1 when the
shop answered otherwise, 2 when no local server is running.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx
import orjson

from infra.local.demo.load import PASSWORD as STAFF_PASSWORD

Json = dict[str, Any]

PASSWORD: Final = "Snow-Globe&Sleigh7"  # noqa: S105 - of an account that is made now
CARD: Final = "pm_card_visa"  # a test card of Stripe: https://docs.stripe.com/testing
SECONDS: Final = 30.0
ADDRESS: Final = {
    "name": "Dana Whitfield",
    "line1": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94102",
    "country": "US",
}
WAY: Final = ("picked_up", "in_transit", "out_for_delivery", "delivered")


class NotRunning(Exception):
    """Nobody answers at the address, or it is no local shop."""


class Unexpected(Exception):
    """The shop did not do what it should."""


@dataclass(slots=True)
class Visitor:
    """A caller of the shop with a token, once signed in. Cookies stay out of it."""

    base: str
    token: str = ""
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.base, timeout=SECONDS)

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def sign_in(self, email: str, password: str) -> None:
        """Logs in; further requests carry the token."""
        self.token = self.post("/api/auth/login", {"email": email, "password": password})["access_token"]
        self._client.cookies.clear()

    def get(self, path: str, **query: Any) -> Json:
        """The JSON of a GET."""
        return self._asked("GET", path, params=query)

    def post(self, path: str, body: Json | None = None, **headers: str) -> Json:
        """The JSON of a POST."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._asked("POST", path, json=body, headers=sent)

    def put(self, path: str, body: Json) -> Json:
        """The JSON of a PUT."""
        return self._asked("PUT", path, json=body)

    def follow(self, path: str) -> Iterator[Json]:
        """The messages of a stream of server-sent events."""
        with self._client.stream("GET", path, headers=self._bearer()) as answer:
            if answer.status_code != 200:
                raise Unexpected(f"GET {path} answered {answer.status_code}")
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield orjson.loads(line.removeprefix("data:"))

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _asked(self, method: str, path: str, **more: Any) -> Json:
        headers = {**more.pop("headers", {}), **self._bearer()}
        try:
            answer = self._client.request(method, path, headers=headers, **more)
        except httpx.TransportError as error:
            raise NotRunning(f"No answer from {self.base}: start the shop with `make run` first.") from error
        if answer.is_error:
            raise Unexpected(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return orjson.loads(answer.content) if answer.content else {}


def main(arguments: list[str] | None = None) -> int:
    """Plays the journey; answers the exit code."""
    base = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    parser = argparse.ArgumentParser(prog="python -m infra.local.journey", description=__doc__)
    parser.add_argument("--base", default=base, help="address of the shop (default: %(default)s)")
    shopper, staff = (Visitor(parser.parse_args(arguments).base) for _ in range(2))
    try:
        _journey(shopper, staff)
    except (NotRunning, Unexpected) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2 if isinstance(error, NotRunning) else 1
    finally:
        shopper.close()
        staff.close()
    return 0


def _journey(shopper: Visitor, staff: Visitor) -> None:
    _title("An account")
    _sign_up(shopper)
    _title("The shop")
    product = _browse(shopper)
    _title("An order, from the cart to the door")
    _save_card(shopper)
    _fill_cart(shopper, product, 2, code="WELCOME10")
    order = _order(shopper, once_more=True)
    _follow(shopper, order, "processing")
    staff.sign_in("staff@example.com", STAFF_PASSWORD)
    _deliver(shopper, staff, order)
    _title("An order that is cancelled")
    _cancel(shopper, product)
    print("\nThat was all of it: every order has its end, the stock and the money are where they belong.")


def _sign_up(shopper: Visitor) -> None:
    email = f"dana-{uuid4().hex[:8]}@example.com"
    shopper.post("/api/auth/signup", {"name": "Dana Whitfield", "email": email, "password": PASSWORD})
    _tell(f"signed up as {email}")
    mail = _until(lambda: next(iter(_messages(shopper, email)), None), "the mail with the link")
    token = re.search(r"#token=([\w.~-]+)", mail["text"])
    if token is None:
        raise Unexpected("there is no link in the mail")
    shopper.post("/api/auth/verify-email", {"token": token[1]})
    _tell(f"opened the mail “{mail['subject']}” and followed its link")
    shopper.sign_in(email, PASSWORD)
    _tell("logged in")


def _messages(shopper: Visitor, email: str) -> list[Json]:
    try:
        return list(shopper.get("/local/messages", to=email)["items"])
    except Unexpected as error:
        raise NotRunning(f"{shopper.base} is no local shop (ENV=local): it keeps no mail to read.") from error


def _browse(shopper: Visitor) -> Json:
    categories = shopper.get("/api/categories", top_level="true")["items"]
    _tell("looked at " + ", ".join(each["name"] for each in categories))
    found = shopper.get("/api/products/search", q="train")
    _tell(f"searched for “train”: {found['total']} found")
    filters = orjson.dumps({"in_stock": True, "price": {"min": 20, "max": 200}}).decode()
    for each in shopper.get("/api/products", filters=filters, sort="rating")["items"]:
        product = shopper.get(f"/api/products/{each['product_id']}")
        if _available(shopper, product) >= 4:
            price = product["price"]
            _tell(f"chose {product['name']} for {price['amount']:.2f} {price['currency']}")
            return product
    raise Unexpected("nothing in stock between 20 and 200")


def _available(shopper: Visitor, product: Json) -> int:
    """The units of the product's variant that this journey buys."""
    variants = shopper.get(f"/api/products/{product['product_id']}/inventory")["variants"]
    wanted = _variant(product)
    return next(int(each["available"]) for each in variants if each["variant_id"] == wanted)


def _variant(product: Json) -> str:
    best = max(product["variants"], key=lambda each: int(each["stock"]))
    return str(best["variant_id"])


def _save_card(shopper: Visitor) -> None:
    card = shopper.post("/api/users/me/payment-methods", {"stripe_token": CARD})
    _tell(f"saved a {card['brand']} card ending in {card['last4']}")


def _fill_cart(shopper: Visitor, product: Json, quantity: int, code: str | None = None) -> None:
    body = {"product_id": product["product_id"], "variant_id": _variant(product), "quantity": quantity}
    cart = shopper.post("/api/cart/items", body)
    _tell(f"put {quantity} into the cart: {_money(cart['totals'], 'subtotal')}")
    if code is not None:
        result = shopper.post("/api/checkout/promo", {"code": code})
        _tell(f"entered {code}: {_money(result, 'discount')} off")
    quote = shopper.post("/api/checkout/quote", {"shipping_address": ADDRESS, "shipping_method": "standard"})
    methods = ", ".join(f"{each['method']} {each['price']:.2f}" for each in quote["shipping_methods"])
    _tell(f"asked for a quote: {_money(quote['totals'], 'total')} with tax and standard delivery ({methods})")


def _order(shopper: Visitor, *, once_more: bool = False) -> Json:
    quote = shopper.post("/api/checkout/quote", {"shipping_address": ADDRESS, "shipping_method": "standard"})
    method = shopper.get("/api/users/me/payment-methods")["items"][0]["payment_method_id"]
    body = {
        "cart_id": shopper.get("/api/cart")["cart_id"],
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment_method": {"type": "saved_method", "payment_method_id": method},
        "expected_total": quote["totals"]["total"],
    }
    key = uuid4().hex
    order = shopper.post("/api/orders", body, Idempotency_Key=key)
    _tell(f"ordered: {order['order_number']} over {_money(order['totals'], 'total')}")
    if once_more:
        again = shopper.post("/api/orders", body, Idempotency_Key=key)
        if again["order_id"] != order["order_id"]:
            raise Unexpected("the same request made a second order")
        _tell("sent the very same request again: the same order, not a second one")
    return order


def _follow(shopper: Visitor, order: Json, goal: str) -> None:
    """Tells what the stream of the order says until it has come so far."""
    seen = None
    for news in shopper.follow(f"/api/orders/{order['order_id']}/events"):
        if news["status"] != seen:
            seen = news["status"]
            _tell(f"  {seen} (payment {news['payment_status']}, fulfilment {news['fulfillment_status']})")
        if seen == goal:
            return
    raise Unexpected(f"the order ended as {seen}, not as {goal}")


def _deliver(shopper: Visitor, staff: Visitor, order: Json) -> None:
    def parcel() -> Json | None:
        found = staff.get("/api/staff/shipments", order_id=order["order_id"])["items"]
        return found[0] if found else None

    shipment = _until(parcel, "the shipment")
    _tell(f"{shipment['carrier']} takes the parcel: {shipment['tracking_number']}")
    for status in WAY:
        staff.put(f"/api/staff/shipments/{shipment['shipment_id']}/status", {"new_status": status})
        _tell(f"  parcel {status}")
    _follow(shopper, order, "completed")
    stages = [each["stage"] for each in shopper.get(f"/api/orders/{order['order_id']}/tracking")["timeline"]]
    _tell("the tracking page says: " + ", ".join(stages))

    def points() -> int | None:
        return shopper.get("/api/users/me")["rewards"]["points"] or None

    _tell(f"earned {_until(points, 'the reward points')} points")


def _cancel(shopper: Visitor, product: Json) -> None:
    before = _available(shopper, product)
    _fill_cart(shopper, product, 2)
    order = _order(shopper)
    _follow(shopper, order, "processing")
    held = _settled(shopper, product, before - 2)
    _tell(f"stock went from {before} to {held}")
    shopper.post(f"/api/orders/{order['order_id']}/cancel")
    _tell("changed the mind and cancelled")

    def returned() -> str | None:
        paid = shopper.get(f"/api/orders/{order['order_id']}")["payment_status"]
        return str(paid) if paid == "refunded" else None

    _tell(f"the money is {_until(returned, 'the refund')}")
    _tell(f"the stock is back at {_settled(shopper, product, before)}")


def _settled(shopper: Visitor, product: Json, units: int) -> int:
    """Waits until so many units can be had."""
    _until(lambda: _available(shopper, product) == units or None, f"a stock of {units}")
    return units


def _until(look: Callable[[], Any], what: str) -> Any:
    """What `look` finds, once it finds something. Raises `Unexpected` when that takes too long."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise Unexpected(f"waited {SECONDS:.0f} seconds in vain for {what}")


def _money(sums: Json, name: str) -> str:
    return f"{sums[name]:.2f} {sums['currency']}"


def _title(text: str) -> None:
    print(f"\n{text}")


def _tell(text: str) -> None:
    print(f"  · {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
