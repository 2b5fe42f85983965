"""Operations of the tag `payment_methods`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.addresses import api as addresses
from handlers.addresses import rules as address_rules
from handlers.addresses import store as address_book
from handlers.addresses.postal import FIELDS
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import PaymentRefused, SavedMethod
from handlers.payment_methods import rules, store
from handlers.platform.clock import timestamp
from handlers.platform.errors import Problem, not_found, unprocessable
from handlers.platform.ids import new_id
from handlers.platform.paging import part_of
from handlers.users import store as users

__all__ = ["add_payment_method", "delete_payment_method", "list_payment_methods"]

log = logging.getLogger(__name__)


async def list_payment_methods(params: p.ListPaymentMethodsParameters, call: Call) -> v.PaymentMethodPage:
    """A page of what the caller has saved: the default first, then the newest."""
    wallet = await store.read(call.services.store, call.principal.id)
    methods = rules.in_order(wallet.methods, wallet.default)
    part = part_of(methods, params, call.services.cursors, f"payment_methods|{call.principal.id}")
    return {
        "items": [rules.view(each, wallet.default) for each in part.items],
        "page": part.page,
        "limit": params.limit,
        "total": part.total,
        "next_cursor": part.next_cursor,
    }


async def add_payment_method(body: m.PaymentMethodCreate, call: Call) -> Reply[v.PaymentMethod]:
    """Saves a payment method that Stripe.js has taken. What Stripe refuses is refused, and nothing is kept of it."""
    rules.check_body(body)
    user_id, method_id = call.principal.id, new_id("payment")
    billing, address_id = await _billing(body, call)
    rules.check_room((await store.read(call.services.store, user_id)).methods)
    try:
        found, mine = await _attached(body.stripe_token, method_id, call)
    except PaymentRefused as refused:
        raise rules.refusal(refused) from None
    except PartnerUnavailable as error:
        raise rules.provider_away(error.retry_after) from None
    now = timestamp(call.services.clock.now())
    document = rules.new_method(found, billing, user_id=user_id, method_id=method_id, address_id=address_id, now=now)

    def check(methods: Sequence[Mapping[str, object]]) -> None:
        rules.check_room(methods)
        rules.check_new(methods, found)

    try:
        written, default = await store.add(call.services.store, user_id, document, check, first=body.is_default)
    except Problem:
        if mine:
            await _undo(found.id, call)
        raise
    return Reply(rules.view(written.data, default), etag=written.etag)


async def delete_payment_method(params: p.DeletePaymentMethodParameters, call: Call) -> None:
    """Removes a payment method at Stripe and then here, so that nothing stays there that nobody sees any more."""
    found = await store.find(call.services.store, call.principal.id, params.payment_method_id)
    if found is None:
        raise not_found("Payment method", payment_method_id=params.payment_method_id)
    method, _ = found
    try:
        await call.services.gateway.detach(method["stripe_id"])
    except PartnerUnavailable as error:
        raise rules.provider_away(error.retry_after) from None
    await store.remove(call.services.store, call.principal.id, params.payment_method_id)


async def _attached(token: str, method_id: str, call: Call) -> tuple[SavedMethod, bool]:
    """The payment method, saved with the caller's customer at Stripe, and whether that was done here.

    One that a setup intent of Stripe.js has saved with this customer is taken as it is.
    """
    gateway = call.services.gateway
    found = await gateway.find_method(token)
    wallet = await store.read(call.services.store, call.principal.id)
    rules.check_new(wallet.methods, found)
    customer = wallet.customer or await _customer(call)
    if found.customer == customer:
        return found, False
    if found.customer is not None:
        raise PaymentRefused("invalid", "belongs_to_another", "")
    return await gateway.attach(found.id, customer, method_id), True


async def _customer(call: Call) -> str:
    """The caller's customer at Stripe: made at the first method, and the same for two that come at once."""
    user = (await users.signed_in(call)).data
    made = await call.services.gateway.create_customer(user["user_id"], user["email"], user["name"])
    await store.open_wallet(call.services.store, user["user_id"], made)
    return (await store.read(call.services.store, user["user_id"])).customer or made


async def _billing(body: m.PaymentMethodCreate, call: Call) -> tuple[Mapping[str, str] | None, str | None]:
    """The billing address in normal form, and the entry it was copied from. Raises `Problem` 422."""
    if body.billing_address is not MISSING:
        return address_rules.possible(addresses.examine(body.billing_address, call)), None
    if body.billing_address_id is MISSING:
        return None, None
    wanted = body.billing_address_id
    book = await address_book.read_all(call.services.store, call.principal.id)
    entry = next((each.data for each in book if each.data["address_id"] == wanted), None)
    if entry is None:
        raise unprocessable("There is no such address", "reference_not_found", address_id=wanted)
    return {name: entry[name] for name in FIELDS if name in entry}, wanted


async def _undo(stripe_id: str, call: Call) -> None:
    """Takes back what was attached for nothing. Left there it could not be charged: nobody knows its id."""
    try:
        await call.services.gateway.detach(stripe_id)
    except PartnerUnavailable as error:
        log.warning("payment method stays at Stripe", extra={"reason": str(error)})
