"""Signatures of webhooks: Stripe's own library signs, ours verifies, and the other way round."""

from __future__ import annotations

import time
from datetime import timedelta

import orjson
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from handlers.partners.stripe_webhooks import TOLERANCE_SECONDS, SignatureInvalid, verified
from infra.local.stripe.webhooks import signature
from tests.support.app import MovableClock

SECRET = "whsec_one"
BODY = orjson.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"object": "payment_intent", "id": "pi_1", "metadata": {"order_id": "order-1", "n": 1}}},
    }
)


def now() -> int:
    return int(time.time())


def signed(body: bytes = BODY, secret: str = SECRET, at: int | None = None) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at or now())
    return header


def test_what_stripes_library_signs_is_verified() -> None:
    event = verified(BODY, signed(), SECRET, MovableClock())
    assert (event.id, event.type, event.object_id, event.intent_id) == (
        "evt_1",
        "payment_intent.succeeded",
        "pi_1",
        "pi_1",
    )
    assert event.order_id == "order-1"


def test_what_the_stand_in_signs_stripes_library_verifies() -> None:
    assert signature(SECRET, BODY, now()) == signed()
    assert stripe.Webhook.construct_event(BODY, signature(SECRET, BODY, now()), SECRET).id == "evt_1"


def test_one_of_two_secrets_while_they_change() -> None:
    theirs, ours = signed(secret="whsec_two").partition(",")[2], signed()
    assert verified(BODY, f"{ours},{theirs}", SECRET, MovableClock()).id == "evt_1"
    assert verified(BODY, f"t={now()},{theirs},{ours.partition(',')[2]}", SECRET, MovableClock()).id == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "v1=" + "0" * 64,
        f"t={now()}",
        f"t={now()},v1=" + "0" * 64,
        f"t={now()},v0=" + signed().partition("v1=")[2],
        f"t={now()},t={now()},v1=" + "0" * 64,
        "t=" + "9" * 4000 + ",v1=" + "0" * 64,
        "t=-1,v1=" + "0" * 64,
        f"t={now()}," + ",".join(["v1=" + "0" * 64] * 9),
        signed(secret="whsec_two"),
        signed(body=BODY + b" "),
    ],
)
def test_what_is_not_stripes_is_refused(header: str) -> None:
    with pytest.raises(SignatureInvalid):
        verified(BODY, header, SECRET, MovableClock())


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS - 2, TOLERANCE_SECONDS + 2])
def test_too_old_and_from_the_future(seconds: int) -> None:
    clock = MovableClock()
    header = signed()
    clock.shift = timedelta(seconds=seconds)
    with pytest.raises(SignatureInvalid, match="not its time"):
        verified(BODY, header, SECRET, clock)
    clock.shift = timedelta(seconds=seconds - (2 if seconds > 0 else -2) * 2)
    assert verified(BODY, header, SECRET, clock).id == "evt_1"


@given(st.text(max_size=200))
def test_no_header_trips_it(header: str) -> None:
    with pytest.raises(SignatureInvalid):
        verified(BODY, header, SECRET, MovableClock())


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"data": None},
        {"data": {"object": 5}},
        {"data": {"object": {"id": 5, "metadata": [], "payment_intent": {}}}},
    ],
)
def test_an_event_about_something_else(about: dict[str, object]) -> None:
    body = orjson.dumps({"id": "evt_1", "type": "account.updated", **about})
    event = verified(body, signed(body), SECRET, MovableClock())
    assert (event.object_id, event.intent_id, event.order_id) == ("", "", None)


def test_a_refund_names_its_intent() -> None:
    about = {"object": "refund", "id": "re_1", "payment_intent": "pi_1", "metadata": {"order_id": "order-1"}}
    body = orjson.dumps({"id": "evt_1", "type": "refund.updated", "data": {"object": about}})
    event = verified(body, signed(body), SECRET, MovableClock())
    assert (event.object_id, event.intent_id, event.order_id) == ("re_1", "pi_1", "order-1")
