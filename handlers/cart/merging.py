"""Taking over a guest's cart after login.

Two documents in two partitions: the customer's cart notes what it has taken from the guest's, in the write that takes
it; then the guest's cart is removed, if it is still as it was. So a crash in between, a repetition, or a guest who goes
on shopping meanwhile double nothing and lose nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handlers.cart import rules, store
from handlers.cart.basket import ATTEMPTS, Basket, Draft, changed, lines_of
from handlers.cart.goods import find
from handlers.cart.rules import Notice
from handlers.contract.call import Call
from handlers.platform.errors import unavailable, unprocessable
from handlers.platform.store.port import Document
from handlers.platform.tokens import TokenRejected

Json = dict[str, Any]


async def merge(call: Call, guest_token: str) -> Basket:
    """The caller's cart with the lines of the guest's. Raises `Problem` 422 for a token that is no valid guest's."""
    guest_id = _guest_of(call, guest_token)
    notices: list[Notice] = []
    for _ in range(ATTEMPTS):
        theirs = await store.read(call.services.store, guest_id)
        if theirs is None:
            basket = await changed(call, call.principal)
            return replace(basket, notices=[*notices, *basket.notices])
        basket = await _take(call, theirs)
        notices += basket.notices
        if await store.remove(call.services.store, theirs):
            return replace(basket, notices=notices)
    raise unavailable("The guest keeps changing this cart")


async def _take(call: Call, theirs: Document) -> Basket:
    """The caller's cart with what it has not taken of the guest's yet."""
    services, guest = call.services, theirs.data
    items = lines_of(guest, services.settings.shop_currency)
    goods = await find(services, [(item.product_id, item.variant_id) for item in items])
    lines, news = rules.refreshed(items, goods)
    wanted = {item.variant_id: item.quantity for item in items}

    async def take(draft: Draft) -> None:
        before = _ledger(draft.cart, guest)
        # What the guest wanted counts, not what is left of it: the merge says itself what it had to cap.
        whole = [line._replace(quantity=wanted[line.variant_id]) for line in lines]
        draft.lines, capped, taken = rules.merged(draft.lines, whole, before)
        draft.notices += [each for each in news if each.code != "quantity_reduced"] + capped
        others = [each for each in draft.cart["merges"] if each["guest_id"] != guest["user_id"]]
        entry = {"guest_id": guest["user_id"], "since": guest["created_at"], "taken": taken}
        draft.cart["merges"] = [entry, *others][: rules.MAX_MERGES]
        draft.cart["promo_code"] = draft.cart["promo_code"] or guest["promo_code"]

    return await changed(call, call.principal, take)


def _ledger(cart: Json, guest: Json) -> dict[str, int]:
    """What was taken of this guest's cart before; of an earlier cart of the guest, nothing of this one."""
    for entry in cart["merges"]:
        if entry["guest_id"] == guest["user_id"] and entry["since"] == guest["created_at"]:
            return dict(entry["taken"])
    return {}


def _guest_of(call: Call, token: str) -> str:
    try:
        guest = call.services.tokens.verify(token)
    except TokenRejected as rejected:
        raise unprocessable("This is not a valid guest token", rejected.rule) from None
    if not guest.is_guest:
        raise unprocessable("This is not a guest's token", "token_invalid")
    return guest.id
