"""Events as a log, and the search of payment intents by metadata (reference: Events; Search)."""

from __future__ import annotations

import re
from typing import Final

from infra.local.stripe.account import Account
from infra.local.stripe.params import PAGING, TEXT, WHOLE, read
from infra.local.stripe.state import page
from infra.local.stripe.wire import Json, Refusal

_CLAUSE: Final = re.compile(
    r"""(?:(?P<field>status|customer)|metadata\[["'](?P<key>[^"']+)["']\]):["'](?P<value>[^"']*)["']"""
)


def list_events(account: Account, params: Json) -> Json:
    """GET /v1/events, of a `type` if given."""
    given = read(params, {**PAGING, "type": TEXT})
    wanted = {"type": given["type"]} if "type" in given else {}
    return page(account.state.all("event", **wanted), "/v1/events", params)


def retrieve_event(account: Account, params: Json, id: str) -> Json:
    """GET /v1/events/:id"""
    return account.state.get("event", id)


def search_intents(account: Account, params: Json) -> Json:
    """GET /v1/payment_intents/search: clauses on metadata, status and customer, joined by AND."""
    given = read(params, {"query": TEXT, "limit": WHOLE, "page": TEXT, "expand": [TEXT]}, "query")
    clauses = [_clause(text.strip()) for text in given["query"].split(" AND ")]
    found = [each for each in account.state.all("payment_intent") if all(_fits(each, *clause) for clause in clauses)]
    limit = given.get("limit", 10)
    data = found[::-1][:limit]
    url = "/v1/payment_intents/search"
    return {"object": "search_result", "url": url, "has_more": len(found) > limit, "data": data, "next_page": None}


def _clause(text: str) -> tuple[str | None, str | None, str]:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise Refusal(400, f"We were unable to parse your search query: {text}", param="query")
    return found["field"], found["key"], found["value"]


def _fits(intent: Json, field: str | None, key: str | None, value: str) -> bool:
    if field is not None:
        return bool(intent[field] == value)
    return bool(intent["metadata"].get(key) == value)
