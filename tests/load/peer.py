"""The peer: four of our operations as a good FastAPI team would write them. `python -m tests.load.peer` serves it.

It shares with us everything that is not the framework: store and documents, the index over the catalogue, rules of
accounts, token verification, rate limits, the edge with its log and metrics, uvicorn and its options. Its cart alone
is its own, over pydantic documents (`peer_cart`); once more over our rules it is there for information. It differs in
what is to be compared: routing, dependencies, parameters, bodies, and answers through `response_model`, which FastAPI
serialises with pydantic itself (its documentation advises that over orjson). It has no CSRF check, no strict parsing,
no limit of body size and no `HEAD`: what it leaves out is to its advantage.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from generated import models as m
from handlers.app import build_services
from handlers.categories.store import Categories
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.access import Principal
from handlers.platform.edge import Edge
from handlers.platform.errors import Problem, not_found
from handlers.platform.limits import LimitRule
from handlers.platform.logs import LineWriter, configure_logging
from handlers.platform.request import RequestInfo
from handlers.platform.serving import serve
from handlers.products.catalogue import Catalogue
from handlers.products.counters import Counters
from handlers.products.index.select import matching, page
from handlers.products.lists import Listing, scope_of
from handlers.products.rules import conditions, order_of
from handlers.settings import Settings, load_settings
from handlers.users import rules as users
from handlers.users import store as accounts
from tests.load import peer_cart, peer_cart_models
from tests.load import peer_models as view
from tests.load.peer_asking import Deps, limited, permitted

WRITE_PROFILE = permitted("customer", "write:profile")
SortBy = Literal["relevance", "price", "name", "created_at", "rating", "popularity"]


def create_peer(settings: Settings, services: Services, writer: LineWriter) -> ASGIApp:
    """The peer in our edge, so that both pay for request ids, CORS, log and metrics."""
    return Edge(_app(settings, services), settings, services.telemetry, writer)


def _app(settings: Settings, services: Services) -> FastAPI:
    app = FastAPI(title="Peer", lifespan=_lifespan(services), openapi_url=None)
    app.state.services = services
    app.state.rule = LimitRule(settings.rate_limit_per_minute, settings.rate_limit_burst)
    app.add_exception_handler(Problem, _refused)
    app.get("/api/products", response_model=view.ProductPage, response_model_exclude_unset=True)(list_products)
    app.get("/api/products/{product_id}", response_model=view.Product, response_model_exclude_unset=True)(get_product)
    app.put("/api/users/me", response_model=view.User, response_model_exclude_unset=True)(update_me)
    for path, add in (("items", peer_cart.add_cart_item), ("items-by-our-rules", peer_cart.add_by_our_rules)):
        app.post(f"/api/cart/{path}", response_model=peer_cart_models.Cart, response_model_exclude_unset=True)(add)
    return app


def _lifespan(services: Services) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.limits.start()
        await services.room(Catalogue).start()
        yield
        await services.room(Counters).flush()
        await services.background.drain()
        await services.limits.stop()
        await services.cache.close()
        await services.store.close()

    return lifespan


async def _refused(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    headers = {key.decode(): value.decode() for key, value in problem.headers}
    error = {"code": problem.code, "message": problem.message, "details": problem.details}
    return JSONResponse({"error": error}, problem.status, headers)


# --- operations -----------------------------------------------------------------------------------------------------


async def list_products(
    *,
    response: Response,
    services: Deps,
    info: Annotated[RequestInfo, Depends(limited("listProducts"))],
    category: Annotated[str | None, Query(max_length=100, pattern="^[a-z0-9]+(-[a-z0-9]+)*$")] = None,
    sort: SortBy | None = None,
    order: Literal["asc", "desc"] | None = None,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
) -> Any:
    """Active products of a category and everything below it, or of the whole shop."""
    info.template = "/api/products"
    catalogue = services.room(Catalogue)
    index = await catalogue.index()
    tree = await services.room(Categories).tree()
    if category is not None and category not in tree:
        raise not_found("Category", category=category)
    within = tree.subtree(category) if category is not None else None
    arranged = order_of(sort, order, has_words=False)
    scope = scope_of("products", category, None, arranged)
    place = Listing(catalogue, index, services.cursors, arranged, scope).place(number, limit, cursor)
    found = matching(index, conditions(None, within, "active", services.settings.shop_currency))
    chosen = page(
        index,
        [found],
        arranged.key,
        descending=arranged.descending,
        limit=limit,
        offset=place.offset,
        after=place.after,
    )
    following = None
    if chosen.next is not None:
        position = (place.number + 1, chosen.next.tier, chosen.next.key, chosen.next.id)
        following = services.cursors.seal(position, scope)
    response.headers["cache-control"] = "public, max-age=30"
    return {
        "items": [document.data for document in await catalogue.documents(chosen.slots)],
        "page": place.number,
        "limit": limit,
        "total": found.bit_count(),
        "next_cursor": following,
    }


async def get_product(
    *,
    product_id: str,
    response: Response,
    services: Deps,
    info: Annotated[RequestInfo, Depends(limited("getProduct"))],
) -> Any:
    """One active product, by id or slug."""
    info.template = "/api/products/{product_id}"
    document = await services.room(Catalogue).active(product_id)
    if document is None:
        raise not_found("Product", product_id=product_id)
    response.headers["etag"] = f'"{document.etag}"'
    response.headers["cache-control"] = "public, max-age=60"
    return document.data


async def update_me(
    *,
    request: Request,
    response: Response,
    body: m.UserUpdate,
    services: Deps,
    principal: Annotated[Principal, Depends(WRITE_PROFILE)],
    info: Annotated[RequestInfo, Depends(limited("updateMe"))],
    if_match: Annotated[str | None, Header(max_length=128)] = None,
) -> Any:
    """Changes the caller's account; change and event in one batch. (The bench makes no change of address.)"""
    info.template = "/api/users/me"
    now = services.clock.now()
    call = Call(services, principal, info, request.scope["headers"])
    document = await accounts.change(
        call, principal.id, lambda account: users.updated(account, body, now), if_match=if_match
    )
    response.headers["etag"] = f'"{document.etag}"'
    response.headers["cache-control"] = "no-store"
    return users.user_view(document.data)


def main() -> None:
    """Serves the peer with uvicorn's options of `handlers.app`."""
    settings = load_settings(os.environ)
    writer = LineWriter()
    configure_logging(settings.log_level, writer)
    serve(create_peer(settings, build_services(settings), writer), settings.host, settings.port)
    writer.close()


if __name__ == "__main__":
    main()
