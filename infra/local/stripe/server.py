"""The API: from a request to the operation that answers it, with everything Stripe puts around operations."""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from infra.local.stripe import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    attempts,
    customers,
    disputes,
    events,
    faults,
    intents,
    refunds,
)
from infra.local.stripe.account import VERSION, Account
from infra.local.stripe.faults import Faults
from infra.local.stripe.idempotency import Idempotency
from infra.local.stripe.state import State, expanded
from infra.local.stripe.webhooks import Webhooks
from infra.local.stripe.wire import Json, Refusal, Request, Response, new_id

Operation = Callable[..., Json]

# (method, path, name, operation, whether a browser may with the publishable key)
_OPERATIONS: Final[tuple[tuple[str, str, str, Operation, bool], ...]] = (
    ("POST", "/v1/customers", "customers.create", customers.create_customer, False),
    ("GET", "/v1/customers", "customers.list", customers.list_customers, False),
    ("GET", "/v1/customers/:id", "customers.retrieve", customers.retrieve_customer, False),
    ("POST", "/v1/customers/:id", "customers.update", customers.update_customer, False),
    ("DELETE", "/v1/customers/:id", "customers.delete", customers.delete_customer, False),
    ("GET", "/v1/customers/:id/payment_methods", "payment_methods.list", customers.list_methods, False),
    ("POST", "/v1/payment_methods", "payment_methods.create", customers.create_method, True),
    ("GET", "/v1/payment_methods", "payment_methods.list", customers.list_methods, False),
    ("GET", "/v1/payment_methods/:id", "payment_methods.retrieve", customers.retrieve_method, False),
    ("POST", "/v1/payment_methods/:id/attach", "payment_methods.attach", customers.attach_method, False),
    ("POST", "/v1/payment_methods/:id/detach", "payment_methods.detach", customers.detach_method, False),
    ("POST", "/v1/payment_intents", "payment_intents.create", intents.create_intent, False),
    ("GET", "/v1/payment_intents", "payment_intents.list", intents.list_intents, False),
    ("GET", "/v1/payment_intents/search", "payment_intents.search", events.search_intents, False),
    ("GET", "/v1/payment_intents/:id", "payment_intents.retrieve", intents.retrieve_intent, True),
    ("POST", "/v1/payment_intents/:id/confirm", "payment_intents.confirm", intents.confirm_intent, True),
    ("POST", "/v1/payment_intents/:id/cancel", "payment_intents.cancel", intents.cancel_intent, False),
    ("POST", "/v1/refunds", "refunds.create", refunds.create_refund, False),
    ("GET", "/v1/refunds", "refunds.list", refunds.list_refunds, False),
    ("GET", "/v1/refunds/:id", "refunds.retrieve", refunds.retrieve_refund, False),
    ("GET", "/v1/events", "events.list", events.list_events, False),
    ("GET", "/v1/events/:id", "events.retrieve", events.retrieve_event, False),
)
ROUTES: Final = [
    (method, re.compile(re.escape(path).replace(":id", "(?P<id>[A-Za-z0-9_]+)")), name, operation, open_)
    for method, path, name, operation, open_ in _OPERATIONS
]


class Server:
    """A whole account. `url` is its address once it is served; `file`: where it keeps what it holds."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        key: str = SECRET_KEY,
        publishable: str = PUBLISHABLE_KEY,
        file: Path | None = None,
    ) -> None:
        self.url = ""
        self.key = key
        self.publishable = publishable
        self.faults = Faults()
        self.webhooks = Webhooks(now)
        self.calls: Counter[str] = Counter()
        self.account = Account(State(file), now, self.webhooks.deliver)
        self._idempotency = Idempotency(self.account)

    async def handle(self, request: Request) -> Response:
        """Answers a request. Raises `AnswerLost` when a fault says so."""
        request_id = new_id("req")
        try:
            response = await self._answer(request, request_id)
        except Refusal as refusal:
            response = refusal.response()
            response.body["error"]["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        response.headers |= {"request-id": request_id, "stripe-version": VERSION}
        if "idempotency-key" in request.headers:
            response.headers["idempotency-key"] = request.headers["idempotency-key"]
        return response

    async def _answer(self, request: Request, request_id: str) -> Response:
        self._authenticate(request)
        name, operation, values, open_ = _route(request)
        self.calls[name] += 1
        if request.publishable:
            self._check_browser(request, values, open_)
        fault = self.faults.due(name) if self.faults.pending else None

        async def carry_out() -> Response:
            self.account.request = {
                "id": request_id,
                "idempotency_key": request.headers.get("idempotency-key"),
            }
            body = operation(self.account, request.params, **values)
            return Response(200, expanded(self.account.state, body, request.params.get("expand", [])))

        await faults.before(fault)
        try:
            response = await self._idempotency.around(request, lambda: faults.within(fault, carry_out))
        except Refusal:
            await faults.after(fault)
            raise
        await faults.after(fault)
        return response

    def _authenticate(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            message = (
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
            )
            raise Refusal(401, message)
        request.publishable = hmac.compare_digest(key.encode(), self.publishable.encode())
        if not request.publishable and not hmac.compare_digest(key.encode(), self.key.encode()):
            raise Refusal(401, f"Invalid API Key provided: {key[:8]}****", code="api_key_invalid")
        version = request.headers.get("stripe-version", VERSION)
        if version != VERSION:
            raise Refusal(400, f"Invalid Stripe API version: {version}. This stand-in speaks {VERSION} only.")

    def _check_browser(self, request: Request, values: Json, open_: bool) -> None:
        """What Stripe.js may do: with the client secret of the one payment intent."""
        if not open_:
            message = "This API call cannot be made with a publishable API key. Please use a secret API key."
            raise Refusal(401, message, code="secret_key_required")
        if "id" in values:
            intent = self.account.state.get("payment_intent", values["id"])
            if request.params.get("client_secret") != intent["client_secret"]:
                message = (
                    "The client_secret provided does not match the client_secret associated with the PaymentIntent."
                )
                raise Refusal(400, message, param="client_secret", code="payment_intent_invalid_parameter")

    # --- what no client of Stripe can do: the customer, the bank
    def authenticate(self, intent_id: str, outcome: str = "succeeded") -> Json:
        """The customer authenticates, or approves at PayPal: `succeeded`, `failed` or `processing`."""
        return attempts.authenticate(self.account, intent_id, outcome)

    def settle_refund(self, refund_id: str, outcome: str = "succeeded") -> Json:
        """A refund ends at the bank: `succeeded` or `failed`."""
        return refunds.settle(self.account, refund_id, outcome)

    # --- what Stripe does by itself, or somebody at Stripe's dashboard
    def end_intent(self, intent_id: str, reason: str | None = "automatic") -> Json:
        """An intent is cancelled: by Stripe after a while (`automatic`), or in the dashboard."""
        return intents.end(self.account, intent_id, reason)

    def refund_in_dashboard(self, intent_id: str, amount: int | None = None) -> Json:
        """Money goes back without a word of the shop's in it; all that is left without an amount."""
        form = {"payment_intent": intent_id, **({"amount": str(amount)} if amount is not None else {})}
        return refunds.create_refund(self.account, form)

    def dispute(self, intent_id: str, reason: str = "fraudulent") -> Json:
        """The cardholder wants the money back from the bank."""
        return disputes.dispute(self.account, intent_id, reason)

    async def close(self) -> None:
        """Ends webhooks on their way and closes the file."""
        await self.webhooks.close()
        self.account.state.close()


def _route(request: Request) -> tuple[str, Operation, dict[str, Any], bool]:
    for method, pattern, name, operation, open_ in ROUTES:
        if method != request.method:
            continue
        found = pattern.fullmatch(request.path)
        if found is not None:
            return name, operation, found.groupdict(), open_
    message = f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs."
    raise Refusal(404, message)
