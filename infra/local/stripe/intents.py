"""Payment intents: made, confirmed, authenticated, cancelled (reference: Payment Intents; The Payment Intents API)."""

from __future__ import annotations

from typing import Final

from infra.local.stripe import cards, debits
from infra.local.stripe.account import Account
from infra.local.stripe.attempts import attempt, begin, require_action
from infra.local.stripe.customers import living, method_of, refuse_used
from infra.local.stripe.params import FLAG, METADATA, PAGING, SHIPPING, TEXT, WHOLE, Spec, read
from infra.local.stripe.state import missing, page
from infra.local.stripe.wire import Json, Refusal, chance, new_id

_CONFIRM: Final[Spec] = {
    "client_secret": TEXT,
    "error_on_requires_action": FLAG,
    "expand": [TEXT],
    "mandate_data": {"customer_acceptance": {"type": ("offline", "online"), "online": {}, "offline": {}}},
    "off_session": FLAG,
    "payment_method": TEXT,
    "receipt_email": TEXT,
    "return_url": TEXT,
    "setup_future_usage": ("off_session", "on_session"),
    "shipping": SHIPPING,
    "use_stripe_sdk": FLAG,
}
_CREATE: Final[Spec] = {
    **{name: kind for name, kind in _CONFIRM.items() if name != "client_secret"},
    "allowed_payment_method_types": [TEXT],
    "amount": WHOLE,
    "automatic_payment_methods": {"enabled": FLAG, "allow_redirects": ("always", "never")},
    "capture_method": ("automatic", "automatic_async"),
    "confirm": FLAG,
    "currency": TEXT,
    "customer": TEXT,
    "description": TEXT,
    "metadata": METADATA,
    "statement_descriptor_suffix": TEXT,
}
_TYPES: Final = ("card", "paypal", debits.TYPE)
_MAX_AMOUNT: Final = 99_999_999
_MINIMUM: Final = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50}
# Documentation, Currencies: the last of three decimals has to be 0.
_THREE_DECIMALS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_CANCELLABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def create_intent(account: Account, params: Json) -> Json:
    """POST /v1/payment_intents"""
    given = read(params, _CREATE, "amount", "currency")
    _check_amount(given)
    if "customer" in given:
        living(account, given["customer"], "customer")
    method = _method(account, given) if "payment_method" in given else None
    intent = account.state.put(_new(account, given, method))
    account.emit("payment_intent.created", intent)
    return _confirmed(account, intent, given) if given.get("confirm") else intent


def retrieve_intent(account: Account, params: Json, id: str) -> Json:
    """GET /v1/payment_intents/:id"""
    return account.state.get("payment_intent", id)


def list_intents(account: Account, params: Json) -> Json:
    """GET /v1/payment_intents, of a `customer` if given."""
    given = read(params, {**PAGING, "customer": TEXT})
    wanted = {"customer": given["customer"]} if "customer" in given else {}
    return page(account.state.all("payment_intent", **wanted), "/v1/payment_intents", params)


def confirm_intent(account: Account, params: Json, id: str) -> Json:
    """POST /v1/payment_intents/:id/confirm"""
    intent = account.state.get("payment_intent", id)
    return _confirmed(account, intent, read(params, _CONFIRM))


def cancel_intent(account: Account, params: Json, id: str) -> Json:
    """POST /v1/payment_intents/:id/cancel"""
    reasons = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
    given = read(params, {"cancellation_reason": reasons, "expand": [TEXT]})
    return end(account, id, given.get("cancellation_reason"))


def end(account: Account, id: str, reason: str | None) -> Json:
    """Ends an intent; also what Stripe does by itself (`automatic`), and somebody in the dashboard."""
    intent = account.state.get("payment_intent", id)
    if intent["status"] not in _CANCELLABLE:
        raise _unexpected(intent, "cancel", _CANCELLABLE)
    ended = {
        "status": "canceled",
        "canceled_at": account.now(),
        "cancellation_reason": reason,
        "next_action": None,
    }
    cancelled = account.state.put(intent | ended)
    account.emit("payment_intent.canceled", cancelled)
    return cancelled


def _confirmed(account: Account, intent: Json, given: Json) -> Json:
    if intent["status"] not in _CANCELLABLE:
        raise _unexpected(intent, "confirm", _CANCELLABLE)
    changes = {name: given[name] for name in ("receipt_email", "setup_future_usage", "shipping") if name in given}
    chosen = given.get("payment_method") or intent["payment_method"]
    if chosen is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken."
        )
        raise Refusal(
            400,
            message,
            begun=True,
            code="payment_intent_unexpected_state",
            payment_intent=intent,
            param="payment_method",
        )
    method = _usable(account, intent, chosen)
    _need_return_url(intent, given)
    before = account.state.put(intent | changes | {"payment_method": method["id"], "last_payment_error": None})
    return _tried(account, before, method, given)


def _tried(account: Account, intent: Json, method: Json, given: Json) -> Json:
    if method["type"] == debits.TYPE:
        return begin(account, intent)
    asks = method["type"] == "paypal" or cards.behaviour(method).authenticate
    if asks and given.get("off_session"):
        return attempt(account, intent, method, cards.AUTHENTICATION)
    if asks and given.get("error_on_requires_action"):
        return attempt(account, intent, method, cards.AUTHENTICATION)
    if asks:
        return require_action(account, intent, method, given.get("return_url"))
    return attempt(account, intent, method, cards.behaviour(method).charge)


def _usable(account: Account, intent: Json, id: str) -> Json:
    method = method_of(account, id, "payment_method")
    refuse_used(method)
    owner = method["customer"]
    if owner is not None and owner != intent["customer"]:
        said = f"customer '{intent['customer']}'" if intent["customer"] else "no customer"
        message = (
            f"The provided PaymentMethod ({id}) belongs to the Customer {owner}, and the PaymentIntent has {said}. "
            "Please include the Customer in the `customer` parameter on the PaymentIntent."
        )
        raise Refusal(400, message, begun=True, param="payment_method")
    if method["type"] not in intent["payment_method_types"]:
        message = (
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please attach a "
            f"PaymentMethod of one of the following types: {', '.join(intent['payment_method_types'])}."
        )
        raise Refusal(400, message, begun=True, param="payment_method")
    return method


def _need_return_url(intent: Json, given: Json) -> None:
    automatic = intent["automatic_payment_methods"]
    if automatic is None or automatic["allow_redirects"] == "never" or given.get("return_url"):
        return
    if given.get("use_stripe_sdk"):
        return
    message = (
        "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these "
        "payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't "
        "want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and "
        "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents."
    )
    raise Refusal(400, message, param="return_url")


def _check_amount(given: Json) -> None:
    amount, currency = given["amount"], given["currency"].lower()
    if len(currency) != 3 or not currency.isalpha():
        raise Refusal(400, f"Invalid currency: {currency}.", code="parameter_invalid", param="currency")
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise Refusal(400, message, code="parameter_invalid_integer", param="amount")
    if currency in _THREE_DECIMALS and amount % 10:
        message = "Amounts in this currency must be divisible by 10."
        raise Refusal(400, message, code="parameter_invalid_integer", param="amount")
    if amount < _MINIMUM.get(currency, 1):
        message = "The Checkout Session's total amount must convert to at least 50 cents."
        raise Refusal(400, message, code="amount_too_small", param="amount")
    if amount > _MAX_AMOUNT:
        raise Refusal(400, "Amount must be no more than 999,999.99", code="amount_too_large", param="amount")


def _method(account: Account, given: Json) -> Json:
    method = method_of(account, given["payment_method"], "payment_method")
    if method["customer"] is not None and method["customer"] != given.get("customer"):
        raise missing("PaymentMethod", given["payment_method"], "payment_method")
    return method


def _unexpected(intent: Json, doing: str, wanted: tuple[str, ...]) -> Refusal:
    states = ", ".join(wanted)
    message = (
        f"You cannot {doing} this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
        f"with one of the following statuses may be {doing}ed: {states}."
    )
    return Refusal(400, message, begun=True, code="payment_intent_unexpected_state", payment_intent=intent)


def _takes(given: Json, kind: str) -> bool:
    allowed = given.get("allowed_payment_method_types")
    payable = kind != debits.TYPE or given["currency"].lower() == debits.CURRENCY
    return payable and (allowed is None or kind in allowed)


def _new(account: Account, given: Json, method: Json | None) -> Json:
    intent_id = new_id("pi")
    # Without this parameter Stripe takes those of the dashboard all the same.
    automatic = {"enabled": True, "allow_redirects": "always"} | given.get("automatic_payment_methods", {})
    allowed = given.get("allowed_payment_method_types")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "allowed_payment_method_types": allowed,
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret_{chance(25)}",
        "confirmation_method": "automatic",
        "created": account.now(),
        "currency": given["currency"].lower(),
        "customer": given.get("customer"),
        "description": given.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"] if method is not None else None,
        "payment_method_options": {},
        "payment_method_types": [each for each in _TYPES if _takes(given, each)],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": given.get("setup_future_usage"),
        "shipping": given.get("shipping"),
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_confirmation" if method is not None else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
