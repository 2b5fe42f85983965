"""Customers and payment methods (reference: Customers, Payment Methods)."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from infra.local.stripe import cards, debits
from infra.local.stripe.account import Account
from infra.local.stripe.cards import Card, Decline
from infra.local.stripe.params import ADDRESS, METADATA, PAGING, SHIPPING, TEXT, WHOLE, Spec, merged, read
from infra.local.stripe.state import missing, page
from infra.local.stripe.wire import Json, Refusal, chance, new_id

_CUSTOMER: Final[Spec] = {
    "address": ADDRESS,
    "description": TEXT,
    "email": TEXT,
    "expand": [TEXT],
    "metadata": METADATA,
    "name": TEXT,
    "phone": TEXT,
    "preferred_locales": [TEXT],
    "shipping": SHIPPING,
}
_BILLING: Final[Spec] = {"address": ADDRESS, "email": TEXT, "name": TEXT, "phone": TEXT, "tax_id": TEXT}
_METHOD: Final[Spec] = {
    "type": ("card", "paypal"),
    "card": {"number": TEXT, "exp_month": WHOLE, "exp_year": WHOLE, "cvc": TEXT, "token": TEXT},
    "paypal": {},
    "billing_details": _BILLING,
    "allow_redisplay": ("always", "limited", "unspecified"),
    "metadata": METADATA,
    "expand": [TEXT],
}
_EXP: Final = (12, 2034)


def create_customer(account: Account, params: Json, **_: Any) -> Json:
    """POST /v1/customers"""
    given = read(params, _CUSTOMER)
    customer: Json = {
        "id": new_id("cus"),
        "object": "customer",
        "address": given.get("address"),
        "balance": 0,
        "created": account.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": given.get("description"),
        "email": given.get("email"),
        "invoice_prefix": chance(8).upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "preferred_locales": given.get("preferred_locales", []),
        "shipping": given.get("shipping"),
        "tax_exempt": "none",
        "test_clock": None,
    }
    account.emit("customer.created", account.state.put(customer))
    return customer


def retrieve_customer(account: Account, params: Json, id: str) -> Json:
    """GET /v1/customers/:id. One that was deleted is answered with `deleted`."""
    return account.state.get("customer", id)


def update_customer(account: Account, params: Json, id: str) -> Json:
    """POST /v1/customers/:id"""
    customer = living(account, id)
    given = read(params, _CUSTOMER)
    given.pop("expand", None)
    if "metadata" in given:
        given["metadata"] = merged(customer["metadata"], given["metadata"])
    return account.state.put(customer | given)


def delete_customer(account: Account, params: Json, id: str) -> Json:
    """DELETE /v1/customers/:id. Its payment methods are detached."""
    living(account, id)
    for method in account.state.all("payment_method", customer=id):
        _detach(account, method)
    deleted = {"id": id, "object": "customer", "deleted": True}
    account.emit("customer.deleted", account.state.put(deleted))
    return deleted


def list_customers(account: Account, params: Json) -> Json:
    """GET /v1/customers, by `email` if given."""
    read(params, {**PAGING, "email": TEXT})
    customers = [each for each in account.state.all("customer") if not each.get("deleted")]
    if "email" in params:
        customers = [each for each in customers if each["email"] == params["email"]]
    return page(customers, "/v1/customers", params)


def living(account: Account, id: str, param: str = "id") -> Json:
    """A customer that was not deleted. Raises `Refusal`."""
    found = account.state.find("customer", id)
    if found is None or found.get("deleted"):
        raise missing("customer", id, param)
    return found


# --- payment methods
def create_method(account: Account, params: Json) -> Json:
    """POST /v1/payment_methods. What Stripe.js calls, with the publishable key."""
    given = read(params, _METHOD, "type")
    if given["type"] == "paypal":
        return account.state.put(_paypal(account, given))
    card = given.get("card") or {}
    known = cards.of_number(card.get("number", "").replace(" ", ""))
    if known is None:
        raise Refusal(
            402, "Your card number is incorrect.", type="card_error", code="incorrect_number", param="card[number]"
        )
    expiry = (card.get("exp_month", _EXP[0]), card.get("exp_year", _EXP[1]))
    return account.state.put(_card(account, known, given, expiry))


def retrieve_method(account: Account, params: Json, id: str) -> Json:
    """GET /v1/payment_methods/:id"""
    return method_of(account, id, "id")


def attach_method(account: Account, params: Json, id: str) -> Json:
    """POST /v1/payment_methods/:id/attach. The card is checked with its issuer."""
    given = read(params, {"customer": TEXT, "expand": [TEXT]}, "customer")
    living(account, given["customer"], "customer")
    method = method_of(account, id, "payment_method")
    if method["customer"] is not None:
        message = "The payment method you provided has already been attached to a customer."
        raise Refusal(400, message, code="resource_already_exists", begun=True)
    refuse_used(method)
    if method["type"] == "card" and (why := cards.behaviour(method).attach) is not None:
        raise declined(why, payment_method=method)
    return attach(account, method, given["customer"])


def detach_method(account: Account, params: Json, id: str) -> Json:
    """POST /v1/payment_methods/:id/detach. It cannot be attached or used again."""
    read(params, {"expand": [TEXT]})
    method = method_of(account, id, "id")
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise Refusal(400, message, begun=True)
    return _detach(account, method)


def list_methods(account: Account, params: Json, id: str | None = None) -> Json:
    """GET /v1/payment_methods and /v1/customers/:id/payment_methods"""
    given = read(params, {**PAGING, "customer": TEXT, "type": TEXT, "allow_redisplay": TEXT})
    customer = id or given.get("customer")
    if customer is None:
        raise Refusal(400, "Missing required param: customer.", code="parameter_missing", param="customer")
    living(account, customer, "id" if id else "customer")
    wanted = {"type": given["type"]} if "type" in given else {}
    url = f"/v1/customers/{id}/payment_methods" if id else "/v1/payment_methods"
    return page(account.state.all("payment_method", customer=customer, **wanted), url, params)


def method_of(account: Account, id: str, param: str) -> Json:
    """A payment method; a test token such as `pm_card_visa` becomes a new one. Raises `Refusal`."""
    found = account.state.find("payment_method", id)
    if found is not None:
        return found
    if id in debits.DEBITS:
        return account.state.put(_method(account, debits.TYPE, {}) | {debits.TYPE: debits.details(), "_token": id})
    if id not in cards.CARDS:
        raise missing("PaymentMethod", id, param)
    return account.state.put(_card(account, cards.CARDS[id], {}, _EXP, token=id))


def attach(account: Account, method: Json, customer: str) -> Json:
    """Ties a payment method to a customer."""
    account.emit("payment_method.attached", account.state.put(method | {"customer": customer}))
    return account.state.get("payment_method", method["id"])


def refuse_used(method: Json) -> None:
    """Raises `Refusal` for a payment method that was used up: detached, or paid with while it belonged to nobody."""
    if method["_used"]:
        message = (
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
        raise Refusal(400, message, begun=True)


def declined(why: Decline, **more: Any) -> Refusal:
    """402: the issuer's no (reference: Errors, card_error)."""
    said: Json = {"decline_code": why.decline_code} if why.decline_code else {}
    url = f"https://docs.stripe.com/error-codes/{why.code.replace('_', '-')}"
    return Refusal(402, why.message, type="card_error", begun=True, code=why.code, doc_url=url, **said, **more)


def _detach(account: Account, method: Json) -> Json:
    detached = account.state.put(method | {"customer": None, "_used": True})
    account.emit("payment_method.detached", detached)
    return detached


def _method(account: Account, kind: str, given: Json) -> Json:
    billing = given.get("billing_details", {})
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": given.get("allow_redisplay", "unspecified"),
        "billing_details": {
            "address": dict.fromkeys(ADDRESS) | billing.get("address", {}),
            **{name: billing.get(name) for name in ("email", "name", "phone", "tax_id")},
        },
        "created": account.now(),
        "customer": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "type": kind,
        "_used": False,
    }


def _paypal(account: Account, given: Json) -> Json:
    email = given.get("billing_details", {}).get("email")
    payer = hashlib.sha256((email or chance(12)).encode()).hexdigest()[:13].upper()
    return _method(account, "paypal", given) | {"paypal": {"country": "US", "payer_email": email, "payer_id": payer}}


def _card(account: Account, card: Card, given: Json, expiry: tuple[int, int], token: str = "") -> Json:
    checked = "pass" if given.get("card", {}).get("cvc") else None
    details = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": checked},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    own = {"_token": token or cards.BY_NUMBER.get(card.number, ""), "_number": card.number}
    return _method(account, "card", given) | {"card": details, **own}
