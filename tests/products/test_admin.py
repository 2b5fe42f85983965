"""Administration of products over HTTP: create, change, move, delete, and what the shop shows of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.shop import Shop, new_product

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
ADMIN = "/api/admin/products"


def path(product: Json) -> str:
    """Where administrators find a product."""
    return f"{ADMIN}/{product['product_id']}"


async def rule(shop: Shop, method: str, where: str, body: Json | None = None) -> tuple[int, str | None]:
    """Status and business rule of a refusal."""
    answer = await shop.as_admin(method, where, body)
    return answer.status_code, answer.json()["error"]["details"].get("rule")


async def test_a_product_is_created_with_its_stock(shop: Shop) -> None:
    product = await shop.created(name="  Ångström's Café Lamp  ", slug="angstrom-cafe-lamp")
    assert product["name"] == "Ångström's Café Lamp"
    assert product["seo"]["canonical_url"] == "/product/angstrom-cafe-lamp"
    assert product["published_at"] == product["created_at"]
    assert [variant["stock"] for variant in product["variants"]] == [7, 0]
    for name in (product["product_id"], "angstrom-cafe-lamp"):
        answer = await shop.client.get(f"/api/products/{name}")
        assert answer.json() == product
        assert answer.headers["etag"]
    stock = await shop.get(f"/api/products/{product['product_id']}/inventory")
    assert [(each["available"], each["status"]) for each in stock["variants"]] == [(7, "in_stock"), (0, "out_of_stock")]


async def test_a_slug_is_derived_from_the_name(shop: Shop) -> None:
    product = await shop.created(name="Crème Brûlée Torch №7!")
    assert product["slug"] == "creme-brulee-torch-no7"
    assert await rule(shop, "POST", ADMIN, new_product(name="Crème Brûlée Torch №7!")) == (409, "slug_taken")


async def test_a_name_without_letters_gets_a_slug_all_the_same(shop: Shop) -> None:
    assert (await shop.created(name="★★★"))["slug"].startswith("product-")


@pytest.mark.parametrize(
    ("changes", "status", "wanted"),
    [
        ({"category_slug": "no-such-category"}, 422, "category_not_found"),
        ({"price": {"amount": 10, "currency": "EUR", "tax_rate": 0.1}}, 422, "price_invalid"),
        ({"price": {"amount": 10.001, "currency": "USD", "tax_rate": 0.1}}, 422, "price_invalid"),
        ({"price": {"amount": 10, "compare_at": 10, "currency": "USD", "tax_rate": 0.1}}, 422, "price_invalid"),
        ({"variants": [{"sku": "NEG-1", "price_adjustment": -40.0}]}, 422, "price_invalid"),
        ({"variants": [{"sku": "TWIN-1"}, {"sku": "TWIN-1"}]}, 409, "sku_taken"),
        ({"slug": "apple-iphone-16"}, 409, "slug_taken"),
    ],
)
async def test_what_makes_no_sense_is_refused(shop: Shop, changes: Json, status: int, wanted: str) -> None:
    body = new_product(**changes)
    assert await rule(shop, "POST", ADMIN, body) == (status, wanted)
    assert (await shop.get("/api/products/search", q=body["name"].rsplit(" ", maxsplit=1)[-1]))["total"] == 0


async def test_skus_are_unique_over_products_and_variants(shop: Shop) -> None:
    product = await shop.created()
    for taken in (product["sku"], product["variants"][1]["sku"]):
        assert await rule(shop, "POST", ADMIN, new_product(sku=taken)) == (409, "sku_taken")
        assert await rule(shop, "POST", ADMIN, new_product(variants=[{"sku": taken}])) == (409, "sku_taken")


async def test_a_refused_creation_leaves_nothing_claimed(shop: Shop) -> None:
    body = new_product(slug="apple-iphone-16")
    assert (await rule(shop, "POST", ADMIN, body))[0] == 409
    assert (await shop.as_admin("POST", ADMIN, {**body, "slug": "now-it-is-free"})).status_code == 201


async def test_of_many_at_once_one_gets_the_slug(shop: Shop) -> None:
    bodies = [new_product(slug="only-one-of-us") for _ in range(8)]
    answers = await asyncio.gather(*(shop.as_admin("POST", ADMIN, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_a_given_field_replaces_and_an_absent_one_stays(shop: Shop) -> None:
    product = await shop.created()
    answer = await shop.as_admin("PUT", path(product), {"description": "New words.", "attributes": {"age": "All"}})
    changed = answer.json()
    assert answer.status_code == 200
    assert changed["description"] == "New words."
    assert changed["attributes"] == {"age": "All"}
    assert changed["seo"]["meta_description"] == "New words."
    same = ("name", "slug", "sku", "price", "variants", "created_at", "images", "status")
    assert {name: changed[name] for name in same} == {name: product[name] for name in same}
    assert changed["updated_at"] >= product["updated_at"]
    assert (await shop.get(f"/api/products/{product['product_id']}")) == changed


async def test_pictures_and_what_search_engines_are_told(shop: Shop) -> None:
    product = await shop.created(
        images=[
            {"url": "https://cdn.example.com/a.jpg", "alt": ""},
            {"url": "https://cdn.example.com/b.jpg", "alt": "b"},
        ],
        seo={"meta_title": "My title"},
    )
    assert [image["order"] for image in product["images"]] == [1, 2]
    assert product["seo"]["meta_title"] == "My title"
    assert product["seo"]["meta_description"] == product["description"]
    body = {"images": [{"url": "https://cdn.example.com/c.jpg", "alt": "c", "order": 7}], "name": "Other"}
    changed = (await shop.as_admin("PUT", path(product), body)).json()
    assert changed["images"] == [{"url": "https://cdn.example.com/c.jpg", "alt": "c", "order": 7}]
    assert changed["seo"]["meta_title"] == "My title"
    again = (await shop.as_admin("PUT", path(product), {"seo": {"canonical_url": "/p/other"}})).json()
    assert again["seo"] == {
        "meta_title": "Other",
        "meta_description": product["description"],
        "canonical_url": "/p/other",
    }


async def test_nothing_changed_is_no_change(shop: Shop) -> None:
    product = await shop.created()
    answer = await shop.as_admin("PUT", path(product), {"name": product["name"]})
    assert answer.json() == product


async def test_variants_come_and_go_and_keep_their_stock(shop: Shop) -> None:
    product = await shop.created()
    small, large = product["variants"]
    wanted = [
        {"variant_id": small["variant_id"], "sku": small["sku"], "attributes": {"size": "Tiny"}},
        {"sku": f"{product['sku']}-XL", "attributes": {"size": "Huge"}, "on_hand": 3},
    ]
    answer = await shop.as_admin("PUT", path(product), {"variants": wanted})
    assert answer.status_code == 200, answer.text
    assert [v["stock"] for v in answer.json()["variants"]] == [7, 3]
    assert answer.json()["variants"][0]["variant_id"] == small["variant_id"]
    stock = await shop.get(f"/api/products/{product['product_id']}/inventory")
    assert [each["available"] for each in stock["variants"]] == [7, 3]
    assert (await shop.as_admin("POST", ADMIN, new_product(sku=large["sku"]))).status_code == 201


async def test_variants_that_cannot_be(shop: Shop) -> None:
    product, other = await shop.created(), await shop.created()
    mine, foreign = product["variants"][0], other["variants"][0]
    stranger = {"variants": [{"variant_id": foreign["variant_id"], "sku": "STRANGER-1"}]}
    assert await rule(shop, "PUT", path(product), stranger) == (422, "variant_not_found")
    stocked = {"variants": [{"variant_id": mine["variant_id"], "sku": mine["sku"], "on_hand": 9}]}
    answer = await shop.as_admin("PUT", path(product), stocked)
    assert answer.json()["error"]["details"]["faults"][0]["path"] == "/variants/0/on_hand"


async def test_prices_make_a_history(shop: Shop) -> None:
    product = await shop.created()
    for amount in (35.0, 29.0):
        price = {"amount": amount, "compare_at": 39.5, "currency": "USD", "tax_rate": 0.0825}
        assert (await shop.as_admin("PUT", path(product), {"price": price})).status_code == 200
    assert (await shop.as_admin("PUT", path(product), {"name": "Same price"})).status_code == 200
    history = (await shop.as_admin("GET", path(product))).json()["price_history"]
    assert [entry["price"]["amount"] for entry in history] == [29.0, 35.0, 39.5]
    assert "ended_at" not in history[0]
    assert history[1]["ended_at"] == history[0]["started_at"]
    assert {entry["changed_by"] for entry in history} == {"user-demo-admin"}


async def test_versions(shop: Shop) -> None:
    product = await shop.created()
    etag = (await shop.as_admin("GET", path(product))).headers["etag"]
    public = (await shop.client.get(f"/api/products/{product['product_id']}")).headers["etag"]
    first = await shop.as_admin("PUT", path(product), {"name": "First"}, If_Match=etag)
    assert first.status_code == 200
    for stale in (etag, public):
        again = await shop.as_admin("PUT", path(product), {"name": "Second"}, If_Match=stale)
        assert (again.status_code, again.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    assert (await shop.as_admin("DELETE", path(product), If_Match=etag)).status_code == 412
    assert (await shop.as_admin("DELETE", path(product), If_Match=first.headers["etag"])).status_code == 204


async def test_changes_at_the_same_time_all_count(shop: Shop) -> None:
    product = await shop.created()
    bodies: list[Json] = [{"name": "Renamed"}, {"brand": "Rebranded"}, {"description": "Redescribed"}]
    answers = await asyncio.gather(*(shop.as_admin("PUT", path(product), body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    now = await shop.get(f"/api/products/{product['product_id']}")
    assert (now["name"], now["brand"], now["description"]) == ("Renamed", "Rebranded", "Redescribed")


async def test_publishing_and_archiving(shop: Shop) -> None:
    product = await shop.created(status="draft")
    where = f"/api/products/{product['product_id']}"
    assert "published_at" not in product
    assert (await shop.client.get(where)).status_code == 404
    assert (await shop.client.get(f"{where}/inventory")).status_code == 404
    published = (await shop.as_admin("PUT", path(product), {"status": "active"})).json()
    assert published["published_at"] == published["updated_at"]
    assert (await shop.client.get(where)).status_code == 200
    assert (await shop.client.get(f"{where}/inventory")).status_code == 200
    assert (await shop.as_admin("PUT", path(product), {"status": "archived"})).status_code == 200
    assert (await shop.client.get(where)).status_code == 404
    assert (await shop.client.get(f"{where}/inventory")).status_code == 404
    assert (await shop.client.get(f"{where}/related")).status_code == 200


async def test_a_product_moves_to_another_category(shop: Shop) -> None:
    product = await shop.created(category_slug="toys-plush")
    moved = (await shop.as_admin("PUT", path(product), {"category_slug": "home-decoration"})).json()
    assert moved["product_id"] == product["product_id"]
    assert moved["category_slug"] == "home-decoration"
    for name in (product["product_id"], product["slug"]):
        assert (await shop.get(f"/api/products/{name}"))["category_slug"] == "home-decoration"
    here = {p["product_id"] for p in (await shop.get("/api/products", category="home-decoration", limit=100))["items"]}
    there = {p["product_id"] for p in (await shop.get("/api/products", category="toys-plush", limit=100))["items"]}
    assert product["product_id"] in here - there
    back = (await shop.as_admin("PUT", path(product), {"category_slug": "toys-plush", "name": "Back"})).json()
    assert (back["category_slug"], back["name"]) == ("toys-plush", "Back")
    history = (await shop.as_admin("GET", path(product))).json()["price_history"]
    assert len(history) == 1


async def test_a_deleted_product_is_gone_with_its_stock_and_its_names(shop: Shop) -> None:
    product = await shop.created()
    assert (await shop.as_admin("DELETE", path(product))).status_code == 204
    for where in (f"/api/products/{product['product_id']}", f"/api/products/{product['product_id']}/inventory"):
        assert (await shop.client.get(where)).status_code == 404
    assert (await shop.as_admin("DELETE", path(product))).status_code == 404
    assert (
        await shop.as_admin("POST", ADMIN, new_product(sku=product["sku"], slug=product["slug"]))
    ).status_code == 201


async def test_the_list_of_administrators(shop: Shop) -> None:
    draft = await shop.created(status="draft", name="Invisible Umbrella", category_slug="fashion-kids")
    for query in ({"q": "invisible"}, {"q": draft["product_id"]}, {"q": draft["variants"][0]["sku"]}):
        answer = (await shop.as_admin("GET", f"{ADMIN}?q={query['q']}&status=draft")).json()
        assert draft["product_id"] in {product["product_id"] for product in answer["items"]}
    fashion = (await shop.as_admin("GET", f"{ADMIN}?category=fashion&status=draft")).json()
    assert {product["status"] for product in fashion["items"]} == {"draft"}
    assert (await shop.as_admin("GET", f"{ADMIN}?q=invisible&status=active")).json()["total"] == 0
    assert (await shop.as_admin("GET", f"{ADMIN}?category=nowhere")).status_code == 404


async def test_only_administrators_may(shop: Shop) -> None:
    for method, where in (("GET", ADMIN), ("POST", ADMIN), ("DELETE", f"{ADMIN}/x"), ("PUT", f"{ADMIN}/x")):
        assert (await shop.client.request(method, where, json={})).status_code == 401
