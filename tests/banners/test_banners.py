"""Banners over HTTP: what is shown when, and their administration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
ADMIN = "/api/admin/banners"
BANNER: Json = {
    "placement": "sidebar",
    "title": "Test banner",
    "image_url": "https://cdn.example.com/banners/test.jpg",
    "link_url": "/category/toys",
    "position": 900,
    "status": "active",
}


async def created(shop: Shop, **changes: Any) -> Json:
    """A new banner."""
    answer = await shop.as_admin("POST", ADMIN, {**BANNER, **changes})
    assert answer.status_code == 201, answer.text
    banner: Json = answer.json()
    return banner


async def shown(shop: Shop, **query: Any) -> list[str]:
    """The ids of the banners that are shown now."""
    return [item["banner_id"] for item in (await shop.get("/api/banners/active", limit=100, **query))["items"]]


async def test_active_banners_by_placement_and_position(shop: Shop) -> None:
    items = (await shop.get("/api/banners/active"))["items"]
    titles = [item["title"] for item in items]
    assert "Holiday Peak Sale" in titles
    assert not {"The Big January", "Black Friday", "Summer in the Garden"} & set(titles)
    order = [(("hero", "sidebar", "footer").index(item["placement"]), item["position"]) for item in items]
    assert order == sorted(order)
    hero = (await shop.get("/api/banners/active", placement="hero"))["items"]
    assert {item["placement"] for item in hero} == {"hero"}


async def test_a_banner_is_shown_within_its_time(shop: Shop) -> None:
    now = shop.services.clock.now()
    future = now.replace(year=now.year + 1).isoformat()
    past = now.replace(year=now.year - 1).isoformat()
    soon = await created(shop, starts_at=future)
    over = await created(shop, ends_at=past)
    running = await created(shop, starts_at=past, ends_at=future)
    draft = await created(shop, status="draft")
    ids = await shown(shop)
    assert running["banner_id"] in ids
    assert not {soon["banner_id"], over["banner_id"], draft["banner_id"]} & set(ids)


async def test_pages_and_cursors(shop: Shop) -> None:
    everything = await shown(shop)
    by_cursor: list[str] = []
    answer = await shop.get("/api/banners/active", limit=2)
    while True:
        by_cursor += [item["banner_id"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        answer = await shop.get("/api/banners/active", limit=2, cursor=answer["next_cursor"])
    assert by_cursor == everything
    second = (await shop.get("/api/banners/active", limit=2, page=2))["items"]
    assert [item["banner_id"] for item in second] == everything[2:4]
    assert (await shop.refused("/api/banners/active", cursor="AAAA"))["code"] == "INVALID_REQUEST"


async def test_create_read_change_move_delete(shop: Shop) -> None:
    banner = await created(shop, subtitle="Small words")
    path = f"{ADMIN}/{banner['banner_id']}"
    read = await shop.as_admin("GET", path)
    assert read.json() == banner
    moved = await shop.as_admin("PUT", path, {"placement": "footer", "subtitle": None}, If_Match=read.headers["etag"])
    assert moved.status_code == 200, moved.text
    assert moved.json()["placement"] == "footer"
    assert "subtitle" not in moved.json()
    assert (await shop.as_admin("PUT", path, {"title": "x"}, If_Match=read.headers["etag"])).status_code == 412
    listed = (await shop.as_admin("GET", f"{ADMIN}?placement=footer&status=active&limit=100")).json()["items"]
    assert banner["banner_id"] in {item["banner_id"] for item in listed}
    assert banner["banner_id"] in await shown(shop, placement="footer")
    assert (await shop.as_admin("DELETE", path, If_Match=read.headers["etag"])).status_code == 412
    assert (await shop.as_admin("DELETE", path)).status_code == 204
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"title": "x"})):
        assert (await shop.as_admin(method, path, body)).status_code == 404


async def test_the_end_lies_after_the_start(shop: Shop) -> None:
    window = {"starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-02T01:00:00+01:00"}
    answer = await shop.as_admin("POST", ADMIN, {**BANNER, **window})
    assert (answer.status_code, answer.json()["error"]["details"]["rule"]) == (422, "banner_window_invalid")
    banner = await created(shop, starts_at="2026-01-02T00:00:00+02:00")
    assert banner["starts_at"] == "2026-01-01T22:00:00.000Z"
    path = f"{ADMIN}/{banner['banner_id']}"
    answer = await shop.as_admin("PUT", path, {"ends_at": "2025-01-01T00:00:00Z"})
    assert answer.status_code == 422
    assert "starts_at" not in (await shop.as_admin("PUT", path, {"starts_at": None})).json()


async def test_years_that_no_calendar_here_has(shop: Shop) -> None:
    answer = await shop.as_admin("POST", ADMIN, {**BANNER, "starts_at": "0001-01-01T00:00:00+14:00"})
    assert (answer.status_code, answer.json()["error"]["details"]["faults"][0]["path"]) == (400, "/starts_at")


async def test_nothing_changed_is_no_change(shop: Shop) -> None:
    banner = await created(shop)
    answer = await shop.as_admin("PUT", f"{ADMIN}/{banner['banner_id']}", {"title": banner["title"]})
    assert answer.json() == banner


async def test_all_banners_are_for_administrators(shop: Shop) -> None:
    assert (await shop.client.get(ADMIN)).status_code == 401
