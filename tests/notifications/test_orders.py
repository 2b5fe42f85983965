"""Customers are told of their orders, each thing once, whatever comes twice or dies in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from handlers.notifications import events, store
from handlers.orders import store as orders
from handlers.partners.breaker import PartnerAway
from handlers.partners.mail import outbox_messages
from handlers.platform.store.port import Patch
from handlers.users import store as users
from tests.flows.test_journey import bought
from tests.orders.tales import Story, story
from tests.orders.test_process import event
from tests.shipments.test_operations import moved
from tests.support.shop import Shop
from tests.support.shopper import guest
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


def mailbox(shop: Shop, order: Json, to: str) -> list[Json]:
    """What came to an address (or number) about an order, oldest first."""
    found = outbox_messages(shop.services.settings.data_dir, to=to)
    return [each for each in reversed(found) if order["order_number"] in each["text"]]


async def told(shop: Shop, order: Json, to: str, *subjects: str) -> None:
    """Waits until exactly these mails have come, in any order."""

    async def there() -> bool:
        return len(mailbox(shop, order, to)) >= len(subjects)

    await eventually(there)
    seen = sorted(each["subject"].partition(" - ")[0] for each in mailbox(shop, order, to))
    assert seen == sorted(subjects)


async def wants(tale: Story, **notifications: bool) -> None:
    """Sets the preferences, and a telephone number, of a customer."""
    found = await users.read(tale.shop.services.store, tale.shopper.user_id)
    assert found is not None
    profile = found.data["profile"]
    profile["preferences"]["notifications"] |= notifications
    patch = Patch(tale.shopper.user_id, sets={"profile": profile, "phone": "+14155550177"})
    await tale.shop.services.store.write(users.CONTAINER, patch, partition=tale.shopper.user_id)


async def delivered(tale: Story) -> None:
    parcel = await tale.parcel()
    for status in ("picked_up", "in_transit", "delivered"):
        await moved(tale.shop, parcel, status)


CONFIRMED, PAID = "We have your order", "We have received your payment"
SHIPPED, DELIVERED = "Your order is on its way", "Your parcel has arrived"
CANCELLED, REFUNDED = "Your order was cancelled", "Your money is on its way"


async def test_a_customer_is_told_of_an_order_from_its_placing_to_the_door(shop: Shop) -> None:
    tale = await story(shop, card="pm_card_visa")
    await delivered(tale)
    await told(shop, tale.order, tale.email, CONFIRMED, PAID, SHIPPED, DELIVERED)
    ids = [each["message_id"] for each in mailbox(shop, tale.order, tale.email)]
    assert len(set(ids)) == 4
    data = {"order_id": tale.order["order_id"], "user_id": tale.order["user_id"]}
    for _ in range(2):
        await events.on_order_created(event("OrderCreated", data, "crud-notifications"), shop.services)
    assert len(mailbox(shop, tale.order, tale.email)) == 4


async def test_who_wants_no_progress_gets_receipts_and_text_messages_where_asked_for(shop: Shop) -> None:
    tale = await story(shop, card="pm_card_visa")
    await wants(tale, email_orders=False, sms_shipping=True)
    await delivered(tale)
    await told(shop, tale.order, tale.email, CONFIRMED, PAID)

    async def texted() -> bool:
        return len(mailbox(shop, tale.order, "+14155550177")) == 2

    await eventually(texted)
    assert len(mailbox(shop, tale.order, tale.email)) == 2


async def test_an_order_that_is_cancelled_and_refunded(shop: Shop) -> None:
    tale = await story(shop, card="pm_card_visa")
    await tale.reaches("processing")
    assert (await tale.cancel()).status_code == 200
    await told(shop, tale.order, tale.email, CONFIRMED, PAID, CANCELLED, REFUNDED)


async def test_a_guest_is_told_too(shop: Shop) -> None:
    tale = await story(shop, shopper=await guest(shop))
    await tale.reaches("awaiting_payment")
    assert (await tale.cancel()).status_code == 200
    await told(shop, tale.order, tale.email, CONFIRMED, CANCELLED)
    assert "Nothing was charged" in mailbox(shop, tale.order, tale.email)[-1]["text"]


async def test_a_declined_saved_card_is_told_of_with_the_time_that_is_left(shop: Shop) -> None:
    _, _, order = await bought(shop, "pm_card_chargeCustomerFail", email="declined.dana@example.com")
    await told(shop, order, "declined.dana@example.com", CONFIRMED, "Your payment did not go through")


async def test_a_process_that_dies_after_sending_sends_once_more_under_the_same_id(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tale, heard = await story(shop, card="pm_card_visa"), event_of_refund("refund-x")
    heard.data["order_id"], heard.data["user_id"] = tale.order["order_id"], tale.order["user_id"]

    async def dying(*_: Any) -> None:
        raise ConnectionError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(store, "note_sent", dying)
        with pytest.raises(ConnectionError):
            await events.on_refund_processed(heard, shop.services)
    for _ in range(2):
        await events.on_refund_processed(heard, shop.services)
    sent = refunds_in(mailbox(shop, tale.order, tale.email))
    assert len(sent) == 2
    assert len({each["message_id"] for each in sent}) == 1


async def test_a_mail_server_that_is_away_is_waited_for_and_nothing_is_noted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tale, heard = await story(shop, card="pm_card_visa"), event_of_refund("refund-y")
    heard.data["order_id"], heard.data["user_id"] = tale.order["order_id"], tale.order["user_id"]

    async def away(_: object) -> None:
        raise PartnerAway("SendGrid: ClientConnectorError")

    with monkeypatch.context() as patch:
        patch.setattr(shop.services.mailer, "send", away)
        with pytest.raises(PartnerAway):
            await events.on_refund_processed(heard, shop.services)
    await events.on_refund_processed(heard, shop.services)
    assert len(refunds_in(mailbox(shop, tale.order, tale.email))) == 1


async def test_a_person_who_has_left_is_written_to_no_more(shop: Shop) -> None:
    tale, heard = await story(shop), event_of_refund("refund-z")
    heard.data["order_id"], heard.data["user_id"] = tale.order["order_id"], tale.order["user_id"]
    gone = Patch(tale.order["order_id"], sets={"anonymised_at": "2026-01-25T10:45:00.000Z"})
    await shop.services.store.write(orders.CONTAINER, gone, partition=tale.order["user_id"])
    await events.on_refund_processed(heard, shop.services)
    assert refunds_in(mailbox(shop, tale.order, tale.email)) == []


def event_of_refund(refund_id: str) -> Any:
    """`RefundProcessed` as the handler hears it; the test names the order."""
    data = {"order_id": "", "refund_id": refund_id, "amount": 5.0, "currency": "USD"}
    return event("RefundProcessed", data, "crud-notifications")


def refunds_in(messages: Sequence[Json]) -> list[Json]:
    return [each for each in messages if each["subject"].startswith(REFUNDED)]
