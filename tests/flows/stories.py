"""What shoppers do while the shop is killed under them: each repeats a request until it is answered, under one key."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

from tests.flows.books import Books, Ledger
from tests.flows.lives import Lives
from tests.support.shop import new_product
from tests.support.shopper import HOME

Json = dict[str, Any]
PASSWORD: Final = "Mountain-Rail#42"
PATIENCE: Final = 60.0
PAID: Final = frozenset({"processing"})
UNDONE: Final = frozenset({"cancelled"})


@dataclass(slots=True)
class Market:
    """A shop with its goods and its customer."""

    lives: Lives
    ledger: Ledger
    admin: dict[str, str]
    pay: Callable[[str], None]  # what the customer's browser does at Stripe with an intent
    stop: Callable[[str], None]  # what Stripe, or somebody in its dashboard, does with one
    bearer: dict[str, str] = field(default_factory=dict)
    user_id: str = ""
    cards: dict[str, str] = field(default_factory=dict)
    goods: dict[str, Json] = field(default_factory=dict)
    code: str = ""
    books: Books = field(init=False)
    repeated: int = 0

    def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """One request, repeated until it is answered. Raises `TimeoutError` when it never is."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                answer = httpx.request(method, f"{self.lives.base}{path}", json=body, headers=headers, timeout=PATIENCE)
            except httpx.TransportError:
                self.repeated += 1
                self.lives.revive()
                time.sleep(0.01)
                continue
            if answer.status_code not in (409, 503) or "idempotency_in_progress" not in answer.text:
                return answer
            time.sleep(0.01)
        raise TimeoutError(f"{method} {path} was never answered")

    def done(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """`call` that succeeds."""
        answer = self.call(method, path, body, **headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        found: Json = answer.json() if answer.content else {}
        return found

    def open(self) -> None:
        """Makes goods, a promo code, and a customer with a good and a bad card."""
        for name, units in (("plenty", 100_000), ("single", 1)):
            variant = {"sku": f"V-{uuid4().hex[:12].upper()}", "on_hand": units}
            body = new_product(variants=[variant], price={"amount": 39.5, "currency": "USD", "tax_rate": 0.0825})
            self.goods[name] = self.done("POST", "/api/admin/products", body, **self.admin)
            self.ledger.on_hand[self.goods[name]["variants"][0]["variant_id"]] = units
        self.code = f"T{uuid4().hex[:12].upper()}"
        promotion = {"code": self.code, "type": "percentage", "value": 10, "once_per_customer": True}
        self.done("POST", "/api/admin/promotions", promotion, **self.admin)
        self.ledger.codes.append(self.code)
        email = f"dana-{uuid4().hex[:12]}@example.com"
        self.done("POST", "/api/auth/signup", {"name": "Dana Whitfield", "email": email, "password": PASSWORD})
        session = self.done("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
        self.bearer = {"Authorization": f"Bearer {session['access_token']}"}
        self.user_id = session["user"]["user_id"]
        for token in ("pm_card_visa", "pm_card_chargeCustomerFail"):
            saved = self.done("POST", "/api/users/me/payment-methods", {"stripe_token": token}, **self.bearer)
            self.cards[token] = saved["payment_method_id"]
        self.books = Books(self.lives.folder)

    # --- what one shopper does
    def customer(self) -> Shopper:
        """The customer, the cart empty."""
        self.done("DELETE", "/api/cart", None, **self.bearer)
        return Shopper(self, self.bearer, self.user_id)

    def guest(self) -> Shopper:
        """A new guest."""
        session = self.done("POST", "/api/auth/guest")
        return Shopper(self, {"Authorization": f"Bearer {session['access_token']}"}, session["session_id"])


@dataclass(slots=True)
class Shopper:
    """Somebody with a cart."""

    market: Market
    bearer: dict[str, str]
    user_id: str

    def takes(self, name: str) -> None:
        """Puts one unit into the cart."""
        product = self.market.goods[name]
        body = {
            "product_id": product["product_id"],
            "variant_id": product["variants"][0]["variant_id"],
            "quantity": 1,
        }
        self.market.done("POST", "/api/cart/items", body, **self.bearer)

    def asks(self, payment: Json | None = None, **more: Any) -> httpx.Response:
        """Orders the cart, under one key however often it takes; then once more, for the same answer."""
        body = {
            "cart_id": f"cart-{self.user_id}",
            "shipping_address": HOME,
            "shipping_method": "standard",
            "payment_method": payment or {"type": "new_card"},
            **self._expected(payment, more),
            **more,
        }
        headers = {**self.bearer, "Idempotency-Key": f"key-{uuid4().hex}"}
        answer = self.market.call("POST", "/api/orders", body, **headers)
        if answer.status_code == 201:
            again = self.market.call("POST", "/api/orders", body, **headers)
            assert again.json()["order_id"] == answer.json()["order_id"], again.text
        return answer

    def _expected(self, payment: Json | None, more: Json) -> Json:
        """The total of a quote, for what is charged without another look."""
        if payment is None:
            return {}
        asked = {"shipping_address": HOME, "shipping_method": "standard"}
        asked |= {name: more[name] for name in ("promo_code", "email") if name in more}
        quote = self.market.done("POST", "/api/checkout/quote", asked, **self.bearer)
        return {"expected_total": quote["totals"]["total"]}

    def orders(self, ends: frozenset[str], payment: Json | None = None, **more: Any) -> Json:
        """`asks` that is granted: the order, which the shop answers for from now on."""
        answer = self.asks(payment, **more)
        assert answer.status_code == 201, answer.text
        order: Json = answer.json()
        self.market.ledger.told[order["order_id"]] = ends
        return order

    def with_saved(self, token: str) -> Json:
        """Paying with one of the customer's cards."""
        return {"type": "saved_method", "payment_method_id": self.market.cards[token]}

    def waits(self, order: Json, *statuses: str) -> str:
        """Until the order has one of these statuses; answers which."""
        end = time.monotonic() + PATIENCE
        found: Json = {}
        while time.monotonic() < end:
            with suppress(AttributeError):
                found = self.market.books.order(order["order_id"]) or {}
                if found.get("status") in statuses:
                    return str(found["status"])
            self.market.lives.revive()
            time.sleep(0.01)
        raise TimeoutError(f"{order['order_id']} is {found.get('status')}, not {statuses}")

    def prepares(self, order: Json) -> str:
        """The payment intent of an order, once it can be paid."""
        self.waits(order, "awaiting_payment")
        asked = {"order_id": order["order_id"], "amount": order["totals"]["total"]}
        key = {"Idempotency-Key": f"key-{uuid4().hex}"}
        intent = self.market.done("POST", "/api/payments/create-intent", asked, **self.bearer, **key)
        return str(intent["payment_intent_id"])

    def declined(self, order: Json) -> None:
        """Until the order says that an attempt to pay it was declined."""
        end = time.monotonic() + PATIENCE
        while (self.market.books.order(order["order_id"]) or {}).get("payment_status") != "failed":
            if time.monotonic() > end:
                raise TimeoutError(f"{order['order_id']} was not declined")
            self.market.lives.revive()
            time.sleep(0.01)

    def cancels(self, order: Json) -> None:
        """Asks for the end of the order. A repetition may find it ended."""
        answer = self.market.call("POST", f"/api/orders/{order['order_id']}/cancel", None, **self.bearer)
        gone = answer.status_code == 409 and answer.json()["error"]["details"].get("status") == "cancelled"
        assert answer.is_success or gone, answer.text


# --- the stories; the first part is done before the fuse is set
Story = Callable[[Market], Callable[[], None]]


def a_customer_pays_with_a_saved_card(market: Market) -> Callable[[], None]:
    """To a booked parcel."""
    dana = market.customer()
    dana.takes("plenty")
    return lambda: _waited(dana, dana.orders(PAID, dana.with_saved("pm_card_visa")), "processing")


def a_card_is_declined(market: Market) -> Callable[[], None]:
    """The order waits, and another card pays it."""
    dana = market.customer()
    dana.takes("plenty")
    card = dana.with_saved("pm_card_chargeCustomerFail")

    def go() -> None:
        order = dana.orders(PAID, card)
        intent = dana.prepares(order)
        dana.declined(order)
        market.pay(intent)
        dana.waits(order, "processing")

    return go


def an_order_is_cancelled_after_payment(market: Market) -> Callable[[], None]:
    """Money and goods go back."""
    dana = market.customer()
    dana.takes("plenty")

    def go() -> None:
        order = dana.orders(UNDONE, dana.with_saved("pm_card_visa"))
        dana.waits(order, "processing")
        dana.cancels(order)

    return go


def two_guests_want_the_last_unit(market: Market) -> Callable[[], None]:
    """One gets it, the other is told so; then the one changes their mind, so that there is a unit again."""
    both = [market.guest(), market.guest()]
    for each in both:
        each.takes("single")

    def order(each: Shopper) -> Json | None:
        answer = each.asks(email="guest@example.com")
        if answer.status_code != 201:
            assert answer.json()["error"]["details"]["rule"] in ("item_unavailable", "cart_changed"), answer.text
            return None
        placed: Json = answer.json()
        market.ledger.told[placed["order_id"]] = UNDONE
        return placed

    def go() -> None:
        with ThreadPoolExecutor(2) as pool:
            placed = list(zip(both, pool.map(order, both), strict=True))
        ends = [(each, got, each.waits(got, "awaiting_payment", "cancelled")) for each, got in placed if got]
        assert [end for *_, end in ends].count("awaiting_payment") == 1
        for each, got, end in ends:
            if end == "awaiting_payment":
                each.cancels(got)

    return go


def a_guest_with_a_promo_code_changes_their_mind(market: Market) -> Callable[[], None]:
    """The code is free again."""
    guest = market.guest()
    guest.takes("plenty")

    def go() -> None:
        order = guest.orders(UNDONE, promo_code=market.code, email=f"guest-{uuid4().hex[:8]}@example.com")
        guest.cancels(order)

    return go


def a_guest_pays_in_the_browser(market: Market) -> Callable[[], None]:
    """The shop hears of it from Stripe's webhook, or by asking."""
    guest = market.guest()
    guest.takes("plenty")

    def go() -> None:
        order = guest.orders(PAID, email="guest@example.com")
        market.pay(guest.prepares(order))
        guest.waits(order, "processing")

    return go


def a_payment_ends_at_stripe(market: Market) -> Callable[[], None]:
    """By its own rules or in its dashboard: the order ends, and the code is free again."""
    guest = market.guest()
    guest.takes("plenty")

    def go() -> None:
        order = guest.orders(UNDONE, promo_code=market.code, email=f"guest-{uuid4().hex[:8]}@example.com")
        market.stop(guest.prepares(order))
        guest.waits(order, "cancelled")

    return go


def _waited(shopper: Shopper, order: Json, status: str) -> None:
    shopper.waits(order, status)


STORIES: Final[tuple[Story, ...]] = (
    a_customer_pays_with_a_saved_card,
    a_card_is_declined,
    an_order_is_cancelled_after_payment,
    two_guests_want_the_last_unit,
    a_guest_with_a_promo_code_changes_their_mind,
    a_guest_pays_in_the_browser,
    a_payment_ends_at_stripe,
)
