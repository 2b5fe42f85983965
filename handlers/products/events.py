"""What the catalogue does when it hears something: stock and ratings on the product (`crud-products`), and, for every
process, that its index is old (`crud-search`). The latter also ends what a crash cut short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from generated import events as e
from generated import views as v
from handlers.contract.services import EventServices
from handlers.inventory.rules import product_inventory
from handlers.inventory.store import read_stock
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Operation, Replace, Upsert
from handlers.products import documents, move, store, write
from handlers.products.catalogue import Catalogue

Json = dict[str, Any]


async def on_stock_level_changed(event: Event[e.StockLevelChangedData], services: EventServices) -> None:
    """Shows the stock of a variant on its product. `version` orders the entries: an older one says nothing new.

    What can be ordered stays as it is when a parcel takes what was held; then nothing is written, nor is the version.
    """
    data = event.data
    if event.replayed and await _is_overtaken(event, services):
        return

    def project(product: Json, history: Json) -> Sequence[Operation]:
        versions = history.setdefault("stock_versions", {})
        variant = next((each for each in product["variants"] if each["variant_id"] == data["variant_id"]), None)
        if variant is None or versions.get(data["variant_id"], 0) >= data["version"]:
            return ()
        if variant["stock"] == data["level"]["available"]:
            return ()
        versions[data["variant_id"]] = data["version"]
        variant["stock"] = data["level"]["available"]
        changed = {"product_id": product["product_id"], "inventory": _inventory(product)}
        return [services.outbox.follow(event, store.CONTAINER, history, event_type="InventoryUpdated", data=changed)]

    await _project(event, services, project)


async def _is_overtaken(event: Event[e.StockLevelChangedData], services: EventServices) -> bool:
    """Whether the stock has moved on since an event that is sent again: newer ones say, or have said, how it is."""
    data = event.data
    stock = await read_stock(services.store, data["product_id"], data["variant_id"])
    return stock is not None and int(stock.data["version"]) > data["version"]


async def on_review_published(event: Event[e.ReviewPublishedData], services: EventServices) -> None:
    """Shows the rating of all published reviews on the product. The one over more reviews is the newer one."""
    rating = event.data["product_rating"]

    def project(product: Json, history: Json) -> Sequence[Operation]:
        if product["rating"]["count"] > rating["count"] or product["rating"] == rating:
            return ()
        product["rating"] = {"average": rating["average"], "count": rating["count"]}
        changed = {
            "product_id": product["product_id"],
            "changed_fields": ["rating"],
            "product": documents.snapshot(product),
        }
        return [services.outbox.follow(event, store.CONTAINER, history, event_type="ProductUpdated", data=changed)]

    await _project(event, services, project)


async def on_product_created(event: Event[e.ProductCreatedData], services: EventServices) -> None:
    """Takes a new product into the index of this process."""
    await _learn(services, event.data["product_id"])


async def on_product_updated(event: Event[e.ProductUpdatedData], services: EventServices) -> None:
    """Takes a changed product into the index of this process; ends a move that was cut short."""
    previous, product = event.data.get("previous_category_slug"), event.data["product"]
    if previous is not None:
        await move.settle(services, product["product_id"], previous, product["category_slug"])
    await _learn(services, product["product_id"])


async def on_product_deleted(event: Event[e.ProductDeletedData], services: EventServices) -> None:
    """Takes a product out of the index of this process; removes what belonged to it, in case that was cut short."""
    product_id = event.data["product_id"]
    services.room(Catalogue).forget(product_id)
    if not services.room(Catalogue).loaded:
        services.responses.changed(store.CONTAINER, product_id)
    await write.clear_up(services, product_id, event.data["variant_ids"])


async def on_inventory_updated(event: Event[e.InventoryUpdatedData], services: EventServices) -> None:
    """Takes changed availability into the index of this process."""
    await _learn(services, event.data["product_id"])


async def _project(
    event: Event[Any], services: EventServices, change: Callable[[Json, Json], Sequence[Operation]]
) -> None:
    """Applies an event to its product once: `change` edits product and history, and answers what else is written."""
    product_id: str = event.data["product_id"]
    located = await store.locate(services.store, product_id)
    if located is None:
        return  # deleted meanwhile
    category: str = located.data["category_slug"]

    async def build() -> Sequence[Operation]:
        found = await store.read(services.store, category, product_id)
        if found is None:
            return ()
        product, history = found.data, await write.history_of(services, found.data)
        more = change(product, history)
        if not more:
            return ()
        product["updated_at"] = max(timestamp(services.clock.now()), product["updated_at"])
        return [Replace(product, if_match=found.etag), Upsert(history), *more]

    await services.inbox.once(event, store.CONTAINER, category, build)
    await _learn(services, product_id)


async def _learn(services: EventServices, product_id: str) -> None:
    """Reads the product anew, if this process keeps an index; else those that do are told to."""
    catalogue = services.room(Catalogue)
    if catalogue.loaded:
        await catalogue.find(product_id)
    else:
        services.responses.changed(store.CONTAINER)


def _inventory(product: Json) -> v.ProductInventory:
    """The stock of the product as the shop shows it."""
    stocks = [
        {**variant, "on_hand": variant["stock"], "reserved": 0, "updated_at": product["updated_at"]}
        for variant in product["variants"]
    ]
    variant_ids = [cast("str", variant["variant_id"]) for variant in product["variants"]]
    return product_inventory(product["product_id"], variant_ids, stocks, product["updated_at"])
