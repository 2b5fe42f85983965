"""Stripe, through its own library without blocking: customers, payment methods, payment intents, refunds.

Every write carries an idempotency key made of our ids; an answer that does not come is looked up (decision 67), as
`stripe_asking` says. Loaded only where Stripe is configured: the library takes 30 MB.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Final

import stripe

from handlers.partners.breaker import Breaker, PartnerUnavailable
from handlers.partners.payments import (
    AnswerLost,
    Declined,
    InDoubt,
    Intent,
    IntentOrder,
    Open,
    Outcome,
    PaymentRefused,
    ProviderRefund,
    RefundOrder,
    SavedMethod,
    outcome_of,
)
from handlers.partners.stripe_asking import Asking, CardDeclined
from handlers.partners.stripe_reading import intent_of, refund_of, saved_method
from handlers.partners.stripe_transport import Transport
from handlers.partners.stripe_writing import intent_params, refund_params

if TYPE_CHECKING:
    from stripe.params import (
        CustomerCreateParams,
        PaymentIntentCancelParams,
        PaymentIntentConfirmParams,
        RefundListParams,
    )

log = logging.getLogger(__name__)

# Pinned: another version of the library must not change what the wire carries.
API_VERSION: Final = "2026-10-28.endive"
TIMEOUT_SECONDS: Final = 8.0
PAUSE_SECONDS: Final = 0.25
_EXPAND: Final = ["latest_charge"]


class StripeGateway:
    """`PaymentGateway` over Stripe. `return_url`: where the customer comes back to from a bank's or PayPal's page.

    `base`: another address than Stripe's own. `seconds`: how long one request may take; `pause` before it is repeated.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        return_url: str,
        base: str | None = None,
        seconds: float = TIMEOUT_SECONDS,
        pause: float = PAUSE_SECONDS,
        breaker: Breaker | None = None,
    ) -> None:
        stripe.enable_telemetry = False
        logging.getLogger("stripe").setLevel(logging.WARNING)
        self._transport = Transport(seconds)
        self._api = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": base.rstrip("/")} if base else None,
            max_network_retries=0,
            http_client=self._transport,
        ).v1
        self._return_url = return_url
        self._asking = Asking(breaker or Breaker("Stripe"), pause)

    # --- customers and what is saved with them
    async def create_customer(self, user_id: str, email: str | None, name: str | None) -> str:
        """The customer of an account. The key tells what is sent, for Stripe refuses another body under it."""
        params: CustomerCreateParams = {"metadata": {"user_id": user_id}}
        if email:
            params["email"] = email
        if name:
            params["name"] = name
        digest = hashlib.sha256(f"{email}\x00{name}".encode()).hexdigest()[:16]

        async def create(key: str) -> str:
            return (await self._api.customers.create_async(params, {"idempotency_key": key})).id

        return await self._asking.with_keys(f"customer|{user_id}|{digest}", create)

    async def delete_customer(self, customer: str) -> None:
        """Removes a customer; repeating it does no harm."""
        try:
            await self._asking.safely(lambda: self._api.customers.delete_async(customer))
        except PaymentRefused as refusal:
            if refusal.code != "resource_missing":
                raise

    async def find_method(self, token: str) -> SavedMethod:
        """A payment method by its id."""
        found = await self._asking.safely(lambda: self._api.payment_methods.retrieve_async(token))
        return saved_method(found.to_dict())

    async def attach(self, method_id: str, customer: str, key: str) -> SavedMethod:
        """Saves a payment method with a customer."""

        async def attach(with_key: str) -> SavedMethod:
            options: stripe.RequestOptions = {"idempotency_key": with_key}
            found = await self._api.payment_methods.attach_async(method_id, {"customer": customer}, options)
            return saved_method(found.to_dict())

        return await self._asking.with_keys(f"attach|{key}", attach)

    async def detach(self, method_id: str) -> None:
        """Removes a payment method from its customer. That there is nothing to remove is what was wanted."""
        options: stripe.RequestOptions = {"idempotency_key": f"detach|{method_id}"}
        try:
            await self._asking.safely(lambda: self._api.payment_methods.detach_async(method_id, None, options))
        except PaymentRefused as refusal:
            log.info("payment method was detached before", extra={"code": refusal.code})

    # --- payments
    async def create_intent(self, order: IntentOrder) -> Intent:
        """The payment intent of an order, with everything Stripe can use: metadata, receipt, shipping, statement."""
        params = intent_params(order)

        async def create(key: str) -> Intent:
            found = await self._api.payment_intents.create_async(params, {"idempotency_key": key})
            return intent_of(found.to_dict())

        return await self._asking.with_keys(f"intent|{order.order_id}", create)

    async def retrieve(self, intent_id: str) -> Intent:
        """A payment intent as it is now."""
        found = await self._asking.safely(
            lambda: self._api.payment_intents.retrieve_async(intent_id, {"expand": _EXPAND})
        )
        return intent_of(found.to_dict())

    async def confirm(self, intent_id: str, method_id: str | None, key: str) -> Outcome:
        """Tries to pay; in doubt asks what has become of it."""
        params: PaymentIntentConfirmParams = {"return_url": self._return_url, "expand": _EXPAND}
        if method_id is not None:
            params["payment_method"] = method_id
        options: stripe.RequestOptions = {"idempotency_key": f"confirm|{key}"}

        async def confirm() -> Intent:
            found = await self._api.payment_intents.confirm_async(intent_id, params, options)
            return intent_of(found.to_dict())

        try:
            return outcome_of(await self._asking.safely(confirm))
        except CardDeclined as declined:
            return Declined(declined.intent, declined.decline)
        except PaymentRefused as refusal:
            if refusal.reason != "state":
                raise
            return await self._standing(intent_id)
        except AnswerLost:
            return await self._standing(intent_id, in_doubt=True)

    async def cancel(self, intent_id: str) -> Outcome:
        """Ends an intent, unless it is too late."""
        params: PaymentIntentCancelParams = {"cancellation_reason": "abandoned", "expand": _EXPAND}
        options: stripe.RequestOptions = {"idempotency_key": f"cancel|{intent_id}"}

        async def cancel() -> Intent:
            return intent_of((await self._api.payment_intents.cancel_async(intent_id, params, options)).to_dict())

        try:
            return outcome_of(await self._asking.safely(cancel))
        except PaymentRefused as refusal:
            if refusal.reason != "state":
                raise
            return await self._standing(intent_id)
        except AnswerLost:
            return await self._standing(intent_id, in_doubt=True)

    async def refund(self, order: RefundOrder) -> ProviderRefund:
        """Returns money. In doubt, and before refusing, the intent's refunds are searched for ours."""
        if order.resumed and (known := await self._find_refund(order)) is not None:
            return known
        params = refund_params(order)

        async def create(key: str) -> ProviderRefund:
            return refund_of((await self._api.refunds.create_async(params, {"idempotency_key": key})).to_dict())

        try:
            return await self._asking.with_keys(f"refund|{order.refund_id}", create, lambda: self._find_refund(order))
        except (PaymentRefused, AnswerLost):
            found = await self._find_refund(order)
            if found is None:
                raise
            return found

    async def refunds_of(self, intent_id: str) -> list[ProviderRefund]:
        """Every refund of an intent."""
        params: RefundListParams = {"payment_intent": intent_id, "limit": 100}
        refunds: list[ProviderRefund] = []
        while True:
            found = await self._asking.safely(lambda: self._api.refunds.list_async(params))
            refunds += [refund_of(each.to_dict()) for each in found.data]
            if not found.has_more:
                return refunds
            params["starting_after"] = refunds[-1].id

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close_async()

    # --- doubt
    async def _standing(self, intent_id: str, *, in_doubt: bool = False) -> Outcome:
        """What became of an attempt. In doubt only what cannot be undone counts: a decline may be an earlier one."""
        try:
            outcome = outcome_of(await self.retrieve(intent_id))
        except PartnerUnavailable:
            return InDoubt(intent_id)
        return InDoubt(intent_id) if in_doubt and isinstance(outcome, Open | Declined) else outcome

    async def _find_refund(self, order: RefundOrder) -> ProviderRefund | None:
        """Our refund among those of its intent (decision 67)."""
        refunds = await self.refunds_of(order.intent_id)
        return next((each for each in refunds if each.refund_id == order.refund_id), None)
