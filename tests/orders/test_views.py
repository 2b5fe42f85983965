"""What clients and events see of an order, with and without the parts that an order may lack."""

from __future__ import annotations

from typing import Any

from handlers.orders import telling, views


def _order(**more: Any) -> dict[str, Any]:
    item = {"product_id": "product-1", "variant_id": "variant-1", "sku": "SKU-1", "name": "Lamp", "quantity": 2}
    return {
        "order_id": "order-1",
        "order_number": "HPH-2026-000001",
        "user_id": "user-1",
        "email": "dana@example.com",
        "status": "shipped",
        "payment_status": "paid",
        "fulfillment_status": "shipped",
        "items": [item],
        "totals": {"total": 24.5, "currency": "USD"},
        "shipping_address": {"name": "Dana Whitfield"},
        "shipping": {"method": "standard"},
        "payment": {"choice": "new_card"},
        "created_at": "2026-01-25T10:45:00.000Z",
        "updated_at": "2026-01-25T10:46:00.000Z",
        **more,
    }


def test_who_knows_the_address_alone_sees_no_place() -> None:
    point = {"event_id": "event-1", "stage": "in_transit", "description": "In transit", "timestamp": "x"}
    order = _order(
        shipping={"method": "standard", "carrier": "UPS", "tracking_number": "1Z9"},
        current_location={"city": "Dallas", "state": "TX", "country": "US"},
        timeline=[{**point, "location": "Dallas, TX"}],
    )
    view = views.without_places(views.tracking_view(order, order["timeline"]))
    assert view["timeline"] == [point]
    assert not {"carrier", "tracking_number", "tracking_url", "current_location"} & view.keys()
    lookup = views.lookup_view(order, whole=False)
    assert lookup.get("timeline") == [point]
    assert views.lookup_view(order, whole=True)["email"] == "dana@example.com"


def test_a_summary_leaves_out_what_the_order_lacks() -> None:
    view = views.summary_view(_order())
    assert view["item_count"] == 2
    assert not {"first_item_image_url", "estimated_delivery"} & view.keys()


def test_a_summary_names_picture_and_day() -> None:
    order = _order(shipping={"method": "standard", "estimated_delivery": "2026-01-30T00:00:00.000Z"})
    order["items"][0]["image_url"] = "https://cdn.example.com/lamp.jpg"
    view = views.summary_view(order)
    assert view["first_item_image_url"] == "https://cdn.example.com/lamp.jpg"
    assert view["estimated_delivery"] == "2026-01-30T00:00:00.000Z"


def test_staff_see_the_customer_and_the_carrier() -> None:
    view = views.staff_view(_order(shipping={"method": "standard", "carrier": "UPS", "tracking_number": "1Z9"}))
    assert (view["email"], view["customer_name"]) == ("dana@example.com", "Dana Whitfield")
    assert (view["carrier"], view["tracking_number"]) == ("UPS", "1Z9")
    assert "carrier" not in views.staff_view(_order())


def test_a_refund_is_asked_for_what_was_paid_by_the_intent_that_is_known() -> None:
    without = telling.refund_requested(_order())
    assert (without["amount"], without["currency"]) == (24.5, "USD")
    assert "payment_intent_id" not in without
    with_one = telling.refund_requested(_order(payment={"choice": "new_card", "payment_intent_id": "pi_1"}))
    assert with_one["payment_intent_id"] == "pi_1"
