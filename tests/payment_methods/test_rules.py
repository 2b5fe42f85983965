"""How a refusal of the payment provider reads to the caller."""

from __future__ import annotations

import pytest

from handlers.partners.payments import PaymentRefused, Reason
from handlers.payment_methods.rules import refusal


@pytest.mark.parametrize(
    ("reason", "status", "rule"),
    [
        ("declined", 422, "payment_declined"),
        ("taken", 409, "in_use"),
        ("invalid", 422, "payment_method_invalid"),
    ],
)
def test_a_refusal_names_its_rule(reason: Reason, status: int, rule: str) -> None:
    refused = refusal(PaymentRefused(reason, "generic_decline", "No"))
    assert (refused.status, refused.rule) == (status, rule)
