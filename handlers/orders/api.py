"""Operations of the tag `orders`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.orders import process, rules, store, timeline, views
from handlers.orders.bells import Bells
from handlers.orders.placing import empty_cart, place
from handlers.orders.rules import News
from handlers.orders.saga import CANCELLABLE
from handlers.orders.streams import follow
from handlers.platform import etags
from handlers.platform.access import RANK
from handlers.platform.concurrency import retrying, settled
from handlers.platform.email import normalised
from handlers.platform.errors import (
    Problem,
    conflict,
    forbidden,
    not_found,
    rate_limited,
    unavailable,
    unprocessable,
)
from handlers.platform.idempotency import Replayed
from handlers.platform.limits import network
from handlers.platform.paging import items_before
from handlers.platform.store.port import And, Condition, Document, Eq, Query, Range, Sort, VersionConflict

FULL_SECONDS: Final = 10
_FOR_STAFF = frozenset({"fraud_suspected", "staff_request"})
_NEWEST = (Sort("created_at", descending=True),)


async def create_order(params: p.CreateOrderParameters, body: m.OrderCreate, call: Call) -> Reply[v.Order]:
    """Places an order: one for each edition of the cart, whatever keys come with it."""
    try:
        once = await call.once(store.CONTAINER, call.principal.id)
    except Replayed as again:
        # The process may have died between the order and the emptied cart.
        await empty_cart(call, again.body)
        raise
    view, document = await place(body, call, once)
    return Reply(view, status=201, etag=document.etag if document is not None else None)


async def get_order(params: p.GetOrderParameters, call: Call) -> Reply[v.OrderLookup]:
    """An order as it is now; status and timeline where only its e-mail address is known."""
    found, whole = await _visible(params.order_id, params.email, call)
    return Reply(views.lookup_view(found.data, whole=whole), etag=found.etag)


async def get_order_tracking(params: p.GetOrderTrackingParameters, call: Call) -> v.OrderTracking:
    """The timeline of an order: the agent's, else its own."""
    found, whole = await _visible(params.order_id, params.email, call)
    view = views.tracking_view(found.data, await timeline.told(call.services, found.data))
    return view if whole else views.without_places(view)


async def stream_order_events(params: p.StreamOrderEventsParameters, call: Call) -> Reply[str]:
    """An order's changes as they happen."""
    order = (await _visible(params.order_id, params.email, call))[0].data
    caller = call.principal.id or f"address:{call.request.address}"
    bells = call.services.room(Bells)
    near = network(call.request.address)
    if bells.is_full(caller, near):
        raise rate_limited(FULL_SECONDS)
    if bells.crowded:
        raise unavailable("Too many orders are followed here")
    return Reply.events(follow(call.services, order, caller, near, params.last_event_id))


async def cancel_order(params: p.CancelOrderParameters, body: m.OrderCancel | None, call: Call) -> Reply[v.Order]:
    """Cancels an order that is not with a carrier. What follows from it others hear of."""
    staff = RANK[call.principal.role] >= RANK["staff"]
    reason = body.reason if body is not None and body.reason is not MISSING else None
    if reason in _FOR_STAFF and not staff:
        raise forbidden("This reason is for staff")
    news = News(
        trigger="cancel",
        correlation_id=call.request_id,
        actor=call.principal.role,
        reason=reason or ("staff_request" if staff else "customer_request"),
        comment=body.comment if body is not None and body.comment is not MISSING else None,
    )

    begun = False

    async def attempt() -> Reply[v.Order]:
        nonlocal begun
        found, whole = await _visible(params.order_id, params.email, call)
        if not whole:
            raise forbidden("Sign in to cancel this order")
        if begun and found.data["status"] == "cancelled":
            return Reply(views.order_view(found.data), etag=found.etag)
        if not begun:
            etags.check(params.if_match, found.etag)
        _check_cancellable(found.data)
        # From here the parcel may be called off, and the order has to end whatever else happens to it.
        batch, after = await process.transition(call.services, found, news)
        if after["status"] != "cancelled":
            raise _too_late("shipped")
        begun = True
        written = await settled(call.services.store, store.CONTAINER, after["user_id"], batch)
        call.services.room(Bells).ring(after["order_id"])
        etag = written[0].etag if written and written[0] is not None else None
        return Reply(views.order_view(after), etag=etag)

    try:
        return await retrying(attempt)
    except VersionConflict:
        raise unavailable("Others are changing this order") from None


def _check_cancellable(order: dict[str, Any]) -> None:
    """Raises `Problem` 409 for an order that is with a carrier, or has ended."""
    if order["status"] not in CANCELLABLE:
        raise _too_late(order["status"])


def _too_late(status: str) -> Problem:
    return conflict("This order cannot be cancelled any more", "order_not_cancellable", status=status)


async def list_my_orders(params: p.ListMyOrdersParameters, call: Call) -> v.OrderSummaryPage:
    """The caller's orders, newest first."""
    status = params.status or params.status_filter
    query = Query(
        store.CONTAINER,
        partition=call.principal.id,
        where=Eq("status", status) if status is not None else None,
        sort=_NEWEST,
        limit=params.limit,
        offset=items_before(params.page, params.limit),
    )
    cursors = call.services.cursors
    page = await call.services.store.query(cursors.apply(query, params.cursor))
    return {
        "items": [views.summary_view(each.data) for each in page.items],
        "page": params.page,
        "limit": params.limit,
        "next_cursor": cursors.next(query, page),
    }


async def list_staff_orders(params: p.ListStaffOrdersParameters, call: Call) -> v.StaffOrderPage:
    """Orders of everybody, newest first."""
    if params.start_date is not None and params.end_date is not None and params.start_date > params.end_date:
        raise unprocessable("start_date lies after end_date", "period_invalid")
    if params.order_number is not None:
        return await _numbered(params, call)
    query = Query(
        store.CONTAINER,
        where=And(tuple(_filters(params))),
        sort=_NEWEST,
        limit=params.limit,
        offset=items_before(params.page, params.limit),
        purpose="staff_orders",
    )
    cursors = call.services.cursors
    page = await call.services.store.query(cursors.apply(query, params.cursor))
    return {
        "items": [views.staff_view(each.data) for each in page.items],
        "page": params.page,
        "limit": params.limit,
        "next_cursor": cursors.next(query, page),
    }


async def _numbered(params: p.ListStaffOrdersParameters, call: Call) -> v.StaffOrderPage:
    """The one order of a number, if the other filters hold for it as well."""
    found = await store.by_number(call.services.store, params.order_number or "")
    fits = found is not None and params.page == 1 and _fits(found.data, params)
    return {
        "items": [views.staff_view(found.data)] if found is not None and fits else [],
        "page": params.page,
        "limit": params.limit,
        "next_cursor": None,
    }


def _fits(order: dict[str, Any], params: p.ListStaffOrdersParameters) -> bool:
    start, end = _period(params.start_date, params.end_date)
    return (
        params.status in (None, order["status"])
        and params.attention in (None, order.get("attention"))
        and (params.email is None or _normal(params.email) == order["email"])
        and (start is None or order["created_at"] >= start)
        and (end is None or order["created_at"] < end)
    )


def _filters(params: p.ListStaffOrdersParameters) -> list[Condition]:
    found: list[Condition] = []
    if params.status is not None:
        found.append(Eq("status", params.status))
    if params.attention is not None:
        found.append(Eq("attention", params.attention))
    if params.email is not None:
        found.append(Eq("email", _normal(params.email) or ""))
    start, end = _period(params.start_date, params.end_date)
    if start is not None or end is not None:
        found.append(Range("created_at", ge=start, lt=end))
    return found


def _period(start: date | None, end: date | None) -> tuple[str | None, str | None]:
    """Both days are in it, in UTC."""
    following = end + timedelta(days=1) if end is not None and end != date.max else None
    return (start.isoformat() if start is not None else None, following.isoformat() if following is not None else None)


async def _visible(order_id: str, email: str | None, call: Call) -> tuple[Document, bool]:
    """The order, if the caller may see it, and whether all of it. Raises the same `Problem` 404 whatever is wrong."""
    found = await store.find(call.services.store, order_id)
    sight = rules.sight_of(found.data, call.principal, _normal(email)) if found is not None else "nothing"
    if found is None or sight == "nothing":
        raise not_found("Order", order_id=order_id)
    return found, sight == "whole"


def _normal(email: str | None) -> str | None:
    """An address in its normal form; None for what is none."""
    try:
        return normalised(email) if email is not None else None
    except ValueError:
        return None
