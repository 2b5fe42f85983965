"""The way of a parcel: the table is the contract's, and what a step makes of a shipment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.platform.errors import DocumentNewer
from handlers.shipments import letters, states, views
from tests.support.contract import document

Json = dict[str, Any]

NOW = datetime(2026, 1, 26, 8, 15, tzinfo=UTC)
ORDER: Json = {
    "order_id": "order-1",
    "order_number": "HPH-2026-001234",
    "user_id": "user-1",
    "shipping_address": {
        "name": "Dana Whitfield",
        "line1": "123 Main St",
        "city": "San Francisco",
        "state": "CA",
        "postal_code": "94102",
        "country": "US",
        "phone": "+14155550132",
    },
}
BOOKING: Json = {
    "shipment_id": "shipment-1",
    "carrier": "FedEx",
    "service_level": "standard",
    "tracking_number": "1Z 9/9",
    "estimated_delivery": "2026-01-30T23:59:59.000Z",
    "weight": {"value": 2.7, "unit": "lbs"},
}


def shipment(**changes: Any) -> Json:
    return {**views.new_shipment(BOOKING, ORDER, "2026-01-25T11:00:00.000Z"), **changes}


def step(before: Json, status: states.Status, **more: Any) -> Json:
    return states.moved(before, status, event_id="event-2", occurred=NOW, now=NOW, **more)


def test_the_table_is_the_one_of_the_contract() -> None:
    published = document()["components"]["schemas"]["ShipmentStatus"]["x-transitions"]
    assert {status: list(after) for status, after in states.MOVES.items()} == published
    assert frozenset({"delivered", "returned", "cancelled"}) == states.FINAL


def test_only_what_the_table_allows() -> None:
    assert states.may_move(shipment(), "picked_up")
    assert not states.may_move(shipment(), "delivered")
    assert not states.may_move(shipment(called_off=True), "picked_up")
    assert not states.may_move(shipment(), "cancelled")


def test_a_status_that_only_a_newer_process_knows_is_refused_and_not_guessed() -> None:
    for decide in (states.may_be_called_off, lambda parcel: states.may_move(parcel, "delivered")):
        with pytest.raises(DocumentNewer):
            decide(shipment(status="at_customs"))


def test_a_parcel_is_called_off_only_before_the_carrier_has_it() -> None:
    assert states.may_be_called_off(shipment())
    held_up = step(shipment(), "exception")
    assert states.may_be_called_off(held_up)
    gone = step(shipment(), "picked_up")
    assert gone["handed_over_at"] == gone["events"][-1]["timestamp"]
    for after in (gone, step(gone, "exception"), step(held_up, "delivered")):
        assert not states.may_be_called_off(after)
    # A document of before contract 2.0 says so by its events alone.
    old = {name: value for name, value in step(gone, "exception").items() if name != "handed_over_at"}
    assert not states.may_be_called_off(old)
    assert states.may_move({**old, "called_off": True}, "returned")
    off = states.cancelled(held_up, event_id="event-3", now=NOW)
    assert (off["status"], off["called_off"], states.may_be_called_off(off)) == ("cancelled", True, False)


def test_a_step_is_an_event_and_a_place() -> None:
    after = step(shipment(), "picked_up", location="Dallas, TX")
    assert after["status"] == "picked_up"
    assert after["events"][-1] == {
        "event_id": "event-2",
        "status": "picked_up",
        "location": "Dallas, TX",
        "timestamp": "2026-01-26T08:15:00.000Z",
        "description": "Package picked up by carrier",
    }
    assert after["current_location"] == {
        "city": "Dallas",
        "state": "TX",
        "country": "US",
        "updated_at": "2026-01-26T08:15:00.000Z",
    }
    arrived = step({**after, "status": "in_transit"}, "delivered", words="Left at the door")
    assert arrived["actual_delivery"] == "2026-01-26T08:15:00.000Z"
    assert arrived["current_location"] == after["current_location"]
    assert arrived["events"][-1]["description"] == "Left at the door"


@pytest.mark.parametrize(
    ("location", "country", "expected"),
    [
        ("Dallas, TX", "US", ("Dallas", "TX", "US")),
        ("Leipzig, SN, DE", "DE", ("Leipzig", "SN", "DE")),
        ("Leipzig, SN", "DE", None),
        ("at the dock", "US", None),
    ],
)
def test_a_place_is_known_or_left_out(location: str, country: str, expected: tuple[str, str, str] | None) -> None:
    parcel = shipment(destination={**ORDER["shipping_address"], "country": country})
    found = states.place_of(location, parcel)
    assert (tuple(found.values()) if found is not None else None) == expected


def test_not_in_the_future_and_not_before_what_is_known() -> None:
    parcel = shipment()
    assert states.fits_in_time(parcel, NOW, NOW)
    assert not states.fits_in_time(parcel, NOW + timedelta(milliseconds=1), NOW)
    assert not states.fits_in_time(parcel, NOW - timedelta(days=2), NOW)


def test_an_issue_is_kept_once() -> None:
    issue = {"issue_id": "issue-1", "type": "weather", "severity": "low", "description": "Snow", "detected_at": "x"}
    once = states.with_issue(shipment(), issue, NOW)
    again = states.with_issue(once, {**issue, "resolved_at": "y"}, NOW)
    assert [each.get("resolved_at") for each in again["issues"]] == ["y"]
    assert views.summary_view(once)["open_issues"] == 1
    assert views.summary_view(again)["open_issues"] == 0


def test_letters_say_what_happened_and_escape() -> None:
    parcel = shipment(status="in_transit")
    mail = letters.mail("dana@example.com", parcel, "status_update", "Sorry <b>!")
    assert "package in transit" in mail.text
    assert "Sorry &lt;b&gt;!" in mail.html
    assert "trknbr=1Z%209%2F9" in mail.text
    text = letters.text("+14155550132", parcel, "delayed", None)
    assert text.text.startswith("Holiday Peak Hub, order HPH-2026-001234: your parcel is late.")
    assert letters.masked_mail("dana@example.com") == "d•••••••@example.com"
    assert letters.masked_phone("+14155550132") == "•••••••32"


def test_without_the_person() -> None:
    gone = views.erased(shipment(notes="Dana is on holiday"))
    assert "Dana" not in str(gone)
    assert "94102" not in str(gone)
    assert gone["destination"]["country"] == "US"
