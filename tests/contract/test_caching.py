"""Kept answers over HTTP, as the contract has them: several processes, events, Redis stopped, the same bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generated.routing import OPERATIONS
from handlers.parts import event_services
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Delete
from handlers.products import events
from handlers.products.catalogue import Catalogue
from infra.local.demo.load import load
from infra.local.valkey import start
from tests.support.app import RunningApp, running_app, settings_for
from tests.support.shop import Shop
from tests.support.wait import eventually

Json = dict[str, Any]
SOON: Final = 1.8
BANNER: Final = {"image_url": "https://cdn.example.com/a.jpg", "link_url": "/sale", "status": "active"}
CACHED: Final = sorted(spec.id for spec in OPERATIONS if spec.cache is not None and spec.handler is not None)


@dataclass(slots=True)
class Two:
    """Two processes that answer requests and handle no events, on one store and one Redis."""

    one: Shop
    two: Shop


async def _shop(stack: AsyncExitStack, folder: Path, redis_url: str, *, filled: bool = True) -> Shop:
    running = await stack.enter_async_context(running_app(folder, redis_url, ROLE="crud"))
    if not filled:
        await load(running.services)
        await running.services.room(Catalogue).start()
    shop = Shop(running, None)  # type: ignore[arg-type]  # nothing is paid here
    await shop.sign_in()
    return shop


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Two]:
    """Two processes with the demo shop."""
    folder = tmp_path_factory.mktemp("two")
    async with AsyncExitStack() as stack:
        yield Two(await _shop(stack, folder, redis_url, filled=False), await _shop(stack, folder, redis_url))


in_module = pytest.mark.asyncio(loop_scope="module")


async def got(shop: Shop, path: str, **query: Any) -> tuple[Json, str]:
    """An answer, and what `X-Cache` says."""
    answer = await shop.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json(), answer.headers["x-cache"]


def test_the_operations_of_the_issue_have_a_cache() -> None:
    assert CACHED == [
        "getCategory",
        "getProductFilters",
        "listActiveBanners",
        "listCategories",
        "listFeaturedProducts",
        "listProducts",
        "listRelatedProducts",
        "searchProducts",
    ]


def test_personal_answers_have_a_cache_for_each_or_none() -> None:
    for spec in OPERATIONS:
        assert spec.cache is None or spec.cache.private == (spec.access.role != "anonymous"), spec.id


@in_module
async def test_an_answer_is_made_once_for_both(both: Two) -> None:
    path = "/api/products/filters?category=electronics"
    first, second = await both.one.client.get(path), await both.two.client.get(path)
    assert [first.headers["x-cache"], second.headers["x-cache"]] == ["MISS", "HIT"]
    assert second.content == first.content
    assert second.headers["cache-control"] == first.headers["cache-control"] == "public, max-age=300"


@in_module
async def test_headers_of_the_answer_are_kept_and_those_of_the_request_are_not(both: Two) -> None:
    first = await both.one.client.get("/api/categories/toys", headers={"x-request-id": "a-first-request"})
    second = await both.two.client.get("/api/categories/toys", headers={"x-request-id": "a-second-request"})
    assert second.headers["x-cache"] == "HIT"
    assert second.headers["etag"] == first.headers["etag"]
    assert [first.headers["x-request-id"], second.headers["x-request-id"]] == ["a-first-request", "a-second-request"]


@in_module
async def test_how_parameters_are_written_makes_no_difference(both: Two) -> None:
    for path, state in (
        ("/api/products?category=home&limit=7&sort=price&order=asc", "MISS"),
        ("/api/products?category=home&sort=price&limit=7&order=asc", "MISS"),  # now it is worth keeping
        ("/api/products?order=asc&sort=price&limit=7&category=home", "HIT"),
        ("/api/products?category=h%6Fme&limit=7&sort=price&order=asc&page=1", "HIT"),
        ("/api/products?category=home&limit=8&sort=price&order=asc", "MISS"),
        ("/api/products?category=home&limit=7&sort=price&order=desc", "MISS"),
    ):
        assert (await both.one.client.get(path)).headers["x-cache"] == state, path


@in_module
async def test_errors_are_not_kept(both: Two) -> None:
    slug = f"later-{uuid4().hex[:8]}"
    assert (await both.one.client.get(f"/api/categories/{slug}")).status_code == 404
    assert (await both.one.as_admin("POST", "/api/admin/categories", {"name": "Later", "slug": slug})).is_success
    assert (await both.one.client.get(f"/api/categories/{slug}")).status_code == 200


@in_module
async def test_a_written_category_shows_at_once_here_and_soon_there(both: Two) -> None:
    slug = f"new-{uuid4().hex[:8]}"

    async def shown(shop: Shop) -> bool:
        page, _ = await got(shop, "/api/categories", limit=100, top_level="true")
        return slug in [item["slug"] for item in page["items"]]

    assert [await shown(both.one), await shown(both.two)] == [False, False]
    assert (await both.one.as_admin("POST", "/api/admin/categories", {"name": "New", "slug": slug})).is_success
    assert await shown(both.one)
    await eventually(lambda: shown(both.two), SOON)
    assert await shown(both.one)
    assert (await both.two.as_admin("DELETE", f"/api/admin/categories/{slug}")).status_code == 204
    assert not await shown(both.two)

    async def gone() -> bool:
        return not await shown(both.one)

    await eventually(gone, SOON)


@in_module
async def test_a_written_banner_shows_at_once_here_and_soon_there(both: Two) -> None:
    title = f"Sale {uuid4().hex[:8]}"
    body = {
        "placement": "hero",
        "title": title,
        "image_url": "https://cdn.example.com/a.jpg",
        "link_url": "/a",
        "status": "active",
    }

    async def shown(shop: Shop) -> bool:
        page, _ = await got(shop, "/api/banners/active", limit=100)
        return title in [item["title"] for item in page["items"]]

    assert [await shown(both.one), await shown(both.two)] == [False, False]
    assert (await both.one.as_admin("POST", "/api/admin/banners", body)).is_success
    assert await shown(both.one)
    await eventually(lambda: shown(both.two), SOON)


@in_module
async def test_a_banner_ends_when_it_says_and_not_when_its_answer_does(both: Two) -> None:
    clock = both.one.running.clock
    title = f"Short {uuid4().hex[:8]}"
    ends = timestamp(clock.now())
    body = {
        "placement": "footer",
        "title": title,
        "image_url": "https://cdn.example.com/a.jpg",
        "link_url": "/a",
        "status": "active",
    }
    clock.advance(seconds=-20)
    made = await both.one.as_admin("POST", "/api/admin/banners", {**body, "ends_at": ends})
    assert made.is_success, made.text

    async def shown() -> tuple[bool, str]:
        page, state = await got(both.one, "/api/banners/active", placement="footer", limit=99)
        return title in [item["title"] for item in page["items"]], state

    assert await shown() == (True, "MISS")
    assert await shown() == (True, "HIT")
    clock.advance(seconds=21)
    assert await shown() == (False, "MISS")


@in_module
async def test_a_written_product_shows_at_once_here_and_soon_there(both: Two) -> None:
    async def total(shop: Shop) -> int:
        return int((await got(shop, "/api/products/filters", category="toys-building"))[0]["total"])

    before = await total(both.one)
    assert await total(both.two) == before
    made = await both.one.created()
    assert await total(both.one) == before + 1

    async def there(wanted: int) -> bool:
        assert await total(both.one) == wanted  # what the other shares is never older
        return await total(both.two) == wanted

    await eventually(lambda: there(before + 1), SOON)
    path = f"/api/admin/products/{made['product_id']}"
    assert (await both.one.as_admin("DELETE", path)).status_code == 204
    assert await total(both.one) == before
    await eventually(lambda: there(before), SOON)


@in_module
async def test_an_event_in_a_worker_reaches_both(both: Two, redis_url: str) -> None:
    """A change whose process ended before it could tell: the worker hears of it, and tells."""
    worker = event_services(settings_for(both.one.services.settings.data_dir, redis_url, ROLE="worker"))
    made = await both.one.created()
    path = f"/api/categories/{made['category_slug']}"

    async def count(shop: Shop) -> int:
        return int((await got(shop, path))[0]["category"]["product_count"])

    async def same() -> bool:
        return await count(both.one) == await count(both.two)

    await eventually(same, SOON)
    before = await count(both.one)
    await both.one.services.store.write("products", _removal(made), partition=made["category_slug"])
    assert await count(both.one) == await count(both.two) == before
    data = {"product_id": made["product_id"], "variant_ids": [each["variant_id"] for each in made["variants"]]}
    await events.on_product_deleted(_event("ProductDeleted", data), worker)

    async def fewer() -> bool:
        return await count(both.one) == await count(both.two) == before - 1

    await eventually(fewer, SOON)
    await worker.responses.close()
    await worker.cache.close()
    await worker.store.close()


@in_module
@pytest.mark.parametrize("name", ["created", "updated", "inventory_updated"])
async def test_every_product_event_forgets_answers(both: Two, redis_url: str, name: str) -> None:
    worker = event_services(settings_for(both.one.services.settings.data_dir, redis_url, ROLE="worker"))
    product = (await both.one.products())[0]
    query = {"limit": "3", "offset": "1"}
    await got(both.one, "/api/products/featured", **query)
    assert (await got(both.one, "/api/products/featured", **query))[1] == "HIT"
    data = {"product_id": product["product_id"], "product": product}
    handle = getattr(events, f"on_product_{name}" if name in ("created", "updated") else f"on_{name}")
    await handle(_event(name, data), worker)

    async def made_anew() -> bool:
        return (await got(both.one, "/api/products/featured", **query))[1] == "MISS"

    await eventually(made_anew, SOON)
    await worker.responses.close()
    await worker.cache.close()
    await worker.store.close()


def _removal(product: Json) -> Any:
    return Delete(product["product_id"])


def _event(kind: str, data: Json) -> Event[Any]:
    return Event(
        id=f"event-{uuid4().hex}",
        type=kind,
        version="1.0",
        timestamp="2026-11-24T12:00:00Z",
        source="crud-service",
        data=data,
        correlation_id="request-1",
        causation_id="request-1",
        group="crud-search",
        topic="product-events",
        key=data["product_id"],
    )


_QUERIES: Final = st.one_of(
    st.builds(
        lambda category, sort, limit, page: (
            "/api/products",
            {"category": category, "sort": sort, "limit": limit, "page": page},
        ),
        st.sampled_from(["toys", "home", "electronics", "fashion-women"]),
        st.sampled_from(["price", "name", "rating", "popularity", "created_at"]),
        st.integers(1, 50),
        st.integers(1, 3),
    ),
    st.builds(
        lambda words, limit: ("/api/products/search", {"q": words, "limit": limit}),
        st.sampled_from(["laptop", "wodden", "blue lamp", "zzz", "pro"]),
        st.integers(1, 30),
    ),
    st.builds(
        lambda category, words: ("/api/products/filters", {"category": category, **({"q": words} if words else {})}),
        st.sampled_from(["toys", "home", "sports", "electronics-laptops"]),
        st.sampled_from(["", "red", "lamp"]),
    ),
    st.builds(lambda limit: ("/api/products/razer-blade-16/related", {"limit": limit}), st.integers(1, 20)),
    st.builds(lambda limit: ("/api/products/featured", {"limit": limit}), st.integers(1, 40)),
    st.builds(
        lambda limit, top: ("/api/categories", {"limit": limit, "top_level": top}),
        st.integers(1, 30),
        st.sampled_from(["true", "false"]),
    ),
    st.builds(lambda slug: (f"/api/categories/{slug}", {}), st.sampled_from(["toys", "home", "electronics"])),
    st.builds(
        lambda placement: ("/api/banners/active", {"placement": placement}), st.sampled_from(["hero", "sidebar"])
    ),
)


def _headers(answer: httpx.Response) -> list[tuple[str, str]]:
    """What the answer says besides the request's own and the cache's."""
    others = ("x-cache", "x-request-id", "ratelimit-", "date")
    return sorted((k, text) for k, text in answer.headers.items() if not k.startswith(others))


@in_module
async def test_kept_and_made_answers_are_the_same_bytes(both: Two) -> None:
    seen: set[str] = set()

    async def compare(path: str, query: Json) -> None:
        kept = [await shop.client.get(path, params=query) for shop in (both.one, both.two, both.one, both.one)]
        assert kept[3].headers["x-cache"] == "HIT"
        for shop in (both.one, both.two):
            for kind in ("products", "categories", "banners"):
                shop.services.responses.changed(kind)
        made = [await shop.client.get(path, params=query) for shop in (both.one, both.two)]
        assert "MISS" in [answer.headers["x-cache"] for answer in made]
        assert len({answer.content for answer in (*kept, *made)}) == 1
        assert all(_headers(answer) == _headers(kept[0]) for answer in (*kept, *made))
        seen.add(path.split("?", maxsplit=1)[0])

    examples: list[tuple[str, Json]] = []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(_QUERIES)
    def collect(each: tuple[str, Json]) -> None:
        examples.append(each)

    collect()
    for path, query in examples:
        await compare(path, query)
    assert len(seen) >= 6


async def test_while_redis_is_stopped_the_shop_answers(tmp_path: Path) -> None:
    server = start(tmp_path / "valkey")
    async with AsyncExitStack() as stack:
        running: RunningApp = await stack.enter_async_context(running_app(tmp_path / "data", server.url, ROLE="crud"))
        await load(running.services)
        await running.services.room(Catalogue).start()
        paths = [
            "/api/products",
            "/api/products/filters",
            "/api/products/featured",
            "/api/categories",
            "/api/banners/active",
        ]
        before = [await running.client.get(path) for path in paths]
        server.stop()
        # Longer than a process goes by what it heard, and than it keeps its own while it is alone.
        await eventually(lambda: _alone(running, paths[0]), 5)
        running.clock.advance(seconds=3)
        during = [await running.client.get(path) for path in paths]
        assert [answer.status_code for answer in during] == [200] * len(paths)
        assert [answer.headers["x-cache"] for answer in during] == ["MISS"] * len(paths)
        assert [answer.content for answer in during] == [answer.content for answer in before]
        again = [await running.client.get(path) for path in paths]
        assert [answer.headers["x-cache"] for answer in again] == ["HIT"] * len(paths)


async def _alone(running: RunningApp, path: str) -> bool:
    assert (await running.client.get(path)).status_code == 200
    return running.services.responses.generations.alone
