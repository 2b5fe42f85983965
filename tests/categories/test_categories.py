"""The category tree over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
ADMIN = "/api/admin/categories"


async def created(shop: Shop, **changes: Any) -> Json:
    """A new category with a slug of its own."""
    answer = await shop.as_admin("POST", ADMIN, {"name": "Test", "slug": f"test-{uuid4().hex[:10]}", **changes})
    assert answer.status_code == 201, answer.text
    category: Json = answer.json()
    return category


async def rule(shop: Shop, method: str, path: str, body: Json | None = None) -> tuple[int, str | None]:
    """Status and business rule of a refusal."""
    answer = await shop.as_admin(method, path, body)
    return answer.status_code, answer.json()["error"]["details"].get("rule")


def slugs(page: Json) -> list[str]:
    """The slugs of a page."""
    return [item["slug"] for item in page["items"]]


async def test_the_top_and_the_children_stand_in_their_order(shop: Shop) -> None:
    top = await shop.get("/api/categories", top_level=True, limit=100)
    assert slugs(top)[:4] == ["electronics", "toys", "home", "fashion"]
    assert {item["parent_slug"] for item in top["items"]} == {None}
    children = await shop.get("/api/categories", parent="electronics")
    assert slugs(children)[0] == "electronics-laptops"
    assert {item["parent_slug"] for item in children["items"]} == {"electronics"}
    assert children["items"][0]["path"] == ["electronics"]


async def test_all_of_them_parents_before_children(shop: Shop) -> None:
    everything = await shop.get("/api/categories", limit=100)
    order = slugs(everything)
    assert everything["total"] == len(order) >= 25
    for item in everything["items"]:
        assert all(order.index(above) < order.index(item["slug"]) for above in item["path"])


async def test_pages_offsets_and_cursors_agree(shop: Shop) -> None:
    everything = slugs(await shop.get("/api/categories", limit=100))
    by_page = [slug for page in range(1, 20) for slug in slugs(await shop.get("/api/categories", page=page, limit=4))]
    by_offset = [
        slug for at in range(0, 76, 4) for slug in slugs(await shop.get("/api/categories", offset=at, limit=4))
    ]
    by_cursor: list[str] = []
    answer = await shop.get("/api/categories", limit=4)
    while True:
        by_cursor += slugs(answer)
        if answer["next_cursor"] is None:
            break
        answer = await shop.get("/api/categories", limit=4, cursor=answer["next_cursor"])
    assert by_page == by_offset == by_cursor == everything


async def test_a_category_with_its_surroundings(shop: Shop) -> None:
    detail = await shop.get("/api/categories/electronics-laptops")
    assert [step["slug"] for step in detail["breadcrumbs"]] == ["electronics", "electronics-laptops"]
    assert [child["slug"] for child in detail["children"]] == ["electronics-laptops-gaming"]
    assert (
        detail["category"]["product_count"]
        == (await shop.get("/api/products", category="electronics-laptops"))["total"]
    )


async def test_counts_are_those_of_the_lists(shop: Shop) -> None:
    await shop.created(category_slug="books-fiction")
    for item in (await shop.get("/api/categories", limit=100))["items"]:
        assert item["product_count"] == (await shop.get("/api/products", category=item["slug"]))["total"]


async def test_what_there_is_not(shop: Shop) -> None:
    for path, query in (("/api/categories/nothing", {}), ("/api/categories", {"parent": "nothing"})):
        assert (await shop.refused(path, **query))["code"] == "RESOURCE_NOT_FOUND"
    assert (await shop.refused("/api/categories", page=101, limit=100))["code"] == "INVALID_REQUEST"
    assert (await shop.refused("/api/categories", offset=10_000, limit=1))["code"] == "INVALID_REQUEST"


async def test_create_change_move_delete(shop: Shop) -> None:
    above, category = await created(shop, position=7), await created(shop, description="Words", position=3)
    path = f"{ADMIN}/{category['slug']}"
    answer = await shop.as_admin(
        "PUT", path, {"parent_slug": above["slug"], "image_url": "https://cdn.example.com/x.jpg", "name": " New name "}
    )
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert (changed["name"], changed["path"], changed["description"]) == ("New name", [above["slug"]], "Words")
    assert slugs(await shop.get("/api/categories", parent=above["slug"])) == [category["slug"]]
    assert await rule(shop, "DELETE", f"{ADMIN}/{above['slug']}") == (409, "category_not_empty")
    cleared = (await shop.as_admin("PUT", path, {"parent_slug": None, "image_url": None})).json()
    assert cleared["parent_slug"] is None
    assert "image_url" not in cleared
    assert (await shop.as_admin("DELETE", f"{ADMIN}/{above['slug']}")).status_code == 204
    assert (await shop.client.get(f"/api/categories/{above['slug']}")).status_code == 404


async def test_a_category_with_products_stays(shop: Shop) -> None:
    category = await created(shop)
    product = await shop.created(category_slug=category["slug"], status="draft")
    assert await rule(shop, "DELETE", f"{ADMIN}/{category['slug']}") == (409, "category_not_empty")
    await shop.as_admin("DELETE", f"/api/admin/products/{product['product_id']}")
    assert (await shop.as_admin("DELETE", f"{ADMIN}/{category['slug']}")).status_code == 204


async def test_slugs_are_unique_and_derived(shop: Shop) -> None:
    mark = uuid4().hex[:8]
    answer = await shop.as_admin("POST", ADMIN, {"name": f"Spiel & Spaß {mark}"})
    assert answer.json()["slug"] == f"spiel-spass-{mark}"
    assert await rule(shop, "POST", ADMIN, {"name": f"Spiel & Spaß {mark}"}) == (409, "slug_taken")


async def test_the_tree_has_no_circles_and_no_ninth_level(shop: Shop) -> None:
    first = await created(shop)
    last = first
    for _ in range(7):
        last = await created(shop, parent_slug=last["slug"])
    assert len(last["path"]) == 7
    too_deep = {"name": "Too deep", "parent_slug": last["slug"]}
    assert await rule(shop, "POST", ADMIN, too_deep) == (422, "category_too_deep")
    assert await rule(shop, "PUT", f"{ADMIN}/{first['slug']}", {"parent_slug": last["slug"]}) == (422, "category_cycle")
    assert await rule(shop, "PUT", f"{ADMIN}/{first['slug']}", {"parent_slug": first["slug"]}) == (
        422,
        "category_cycle",
    )
    assert await rule(shop, "PUT", f"{ADMIN}/{first['slug']}", {"parent_slug": "toys"}) == (422, "category_too_deep")
    unknown = {"name": "Orphan", "parent_slug": "nothing"}
    assert await rule(shop, "POST", ADMIN, unknown) == (422, "category_not_found")


async def test_versions(shop: Shop) -> None:
    category = await created(shop)
    path = f"{ADMIN}/{category['slug']}"
    etag = (await shop.client.get(f"/api/categories/{category['slug']}")).headers["etag"]
    assert (await shop.as_admin("PUT", path, {"position": 5}, If_Match=etag)).status_code == 200
    assert (await shop.as_admin("PUT", path, {"position": 6}, If_Match=etag)).status_code == 412
    assert (await shop.as_admin("DELETE", path, If_Match=etag)).status_code == 412
    for method, body in (("PUT", {"position": 5}), ("DELETE", None)):
        assert (await shop.as_admin(method, f"{ADMIN}/nothing", body)).status_code == 404
