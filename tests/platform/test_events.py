"""Whether an envelope fits the event contract, and whether it is newer than it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from handlers.platform.events import DOCUMENT, EventContract, EventMismatch, EventNewer

Json = dict[str, Any]


def example(name: str) -> Json:
    """The example of an event in the contract."""
    messages = orjson.loads(DOCUMENT.read_bytes())["components"]["messages"]
    found: Json = messages[name]["examples"][0]["payload"]
    return found


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("ShipmentStatusUpdated", "status", "beamed"),
        ("OrderCancelled", "reason", "weather"),
        ("OrderUpdated", "payment_status", "in_escrow"),
    ],
)
def test_a_value_that_an_enum_does_not_have_yet_is_newer(name: str, field: str, value: str) -> None:
    contract, envelope = EventContract.load(), example(name)
    contract.check(envelope)
    envelope["data"][field] = value
    with pytest.raises(EventNewer) as caught:
        contract.check(envelope)
    assert value not in str(caught.value)


def test_anything_else_does_not_fit() -> None:
    envelope = example("OrderUpdated")
    envelope["data"] |= {"status": "beamed", "order_number": 7}
    with pytest.raises(EventMismatch) as caught:
        EventContract.load().check(envelope)
    assert not isinstance(caught.value, EventNewer)
