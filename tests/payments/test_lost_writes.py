"""Answers of our own store that are lost: what was written counts, what was not is refused."""

from __future__ import annotations

import pytest

from handlers.payments import process, refunds, store
from handlers.payments.rules import RefundRequest
from handlers.platform.store.port import OutcomeUnknown
from tests.support.paying import Paying, cause, event_names, payable, saved


def lose(till: Paying, monkeypatch: pytest.MonkeyPatch, *, skip: int, commits: bool) -> None:
    """The answer to one batch of payments is lost, after `skip` of them."""
    batch = till.services.store.batch
    left = [skip]

    async def losing(*arguments: object) -> object:
        left[0] -= arguments[0] == store.CONTAINER
        if left[0] != -1 or arguments[0] != store.CONTAINER:
            return await batch(*arguments)  # type: ignore[arg-type]
        if commits:
            await batch(*arguments)  # type: ignore[arg-type]
        raise OutcomeUnknown("lost")

    monkeypatch.setattr(till.services.store, "batch", losing)


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("commits", [True, False])
async def test_a_charge(till: Paying, monkeypatch: pytest.MonkeyPatch, skip: int, commits: bool) -> None:
    order, (method, customer) = payable(), await saved(till)
    lose(till, monkeypatch, skip=skip, commits=commits)
    if not commits:
        with pytest.raises(Exception, match="lost"):
            await process.charge(till.services, order, method, customer, cause())
    assert (await process.charge(till.services, order, method, customer, cause())).paid
    assert len(till.stripe.account.state.all("charge")) == 1
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("commits", [True, False])
async def test_a_refund(till: Paying, monkeypatch: pytest.MonkeyPatch, skip: int, commits: bool) -> None:
    order, (method, customer) = payable(), await saved(till)
    await process.charge(till.services, order, method, customer, cause())
    request = RefundRequest(refund_id="refund-1", order_id=order.order_id, reason="goodwill", amount=15000)
    lose(till, monkeypatch, skip=skip, commits=commits)
    if not commits:
        with pytest.raises(Exception, match="lost"):
            await refunds.refund(till.services, request, cause())
    assert (await refunds.refund(till.services, request, cause()))["status"] == "succeeded"
    payment = await store.payment_of(till.services.store, order.order_id)
    assert payment is not None
    assert (payment["refund_held"], payment["refunded"]) == (15000, 15000)
    assert [each["amount"] for each in till.stripe.account.state.all("refund")] == [15000]
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]
