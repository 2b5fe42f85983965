"""Products as carts need them, computed once for each version of a product and kept in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from handlers.contract.services import EventServices
from handlers.platform.memo import Memo
from handlers.platform.money import minor_units
from handlers.platform.store.port import Document, Place
from handlers.pricing.prices import Prices
from handlers.pricing.tax import millionths
from handlers.products.catalogue import Catalogue
from handlers.products.store import CONTAINER as PRODUCTS

Json = Mapping[str, Any]

KEPT_BYTES: Final = 8 * 1024 * 1024  # about 4,000 products
_VARIANT_BYTES: Final = 700
_VARIANT_NAME: Final = 500


class Goods(NamedTuple):
    """A variant for sale: price in minor units, tax rate in millionths, weight in grams, units that can be ordered."""

    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: str
    unit_price: int
    tax_rate: int
    grams: int
    stock: int = 0
    image_url: str | None = None


class Article(NamedTuple):
    """A product, in any status, with its variants by id, in their order, as if none were in stock.

    `sold`: whether it is on sale, for a price in the shop's currency. A foreign one is not converted.
    """

    status: str
    sold: bool
    variants: Mapping[str, Goods]


class Shelf:
    """The articles of this process. `services.room(Shelf)` is the one."""

    def __init__(self, services: EventServices) -> None:
        self._store = services.store
        self._catalogue = services.room(Catalogue)
        self._prices = services.room(Prices)
        self._articles: Memo[Article] = Memo(
            KEPT_BYTES, float("inf"), lambda article: (1 + len(article.variants)) * _VARIANT_BYTES
        )

    async def find(
        self, product_ids: Iterable[str], beside: Sequence[Place] = (), *, exact: bool = False
    ) -> tuple[dict[str, Article], list[Document | None]]:
        """The products of these ids that there are; and the documents of the places `beside`, read at the same time.

        As the catalogue of this process knows them, which is a second or two behind what others write, as lists are;
        with `exact` as the store has them now.
        """
        index = await self._catalogue.index()
        found: dict[str, Article] = {}
        asked, lost = [], []
        for product_id in product_ids:
            entry = index.find(product_id)
            if entry is None:
                lost.append(product_id)
            elif entry.id == product_id:  # else it was a slug
                article = None if exact else self._articles.get(product_id, entry.version)
                if article is None:
                    asked.append(entry)
                else:
                    found[product_id] = article
        read = await self._store.read_many([*((PRODUCTS, entry.category, entry.id) for entry in asked), *beside])
        for entry, document in zip(asked, read, strict=False):
            if document is None:
                lost.append(entry.id)
                continue
            if document.etag != entry.version:
                self._catalogue.learn(document)
            found[entry.id] = self._article(entry.id, document)
        for product_id in lost:  # new, moved or deleted elsewhere a moment ago
            document = await self._catalogue.find(product_id)
            if document is not None and document.data["product_id"] == product_id:
                found[product_id] = self._article(product_id, document)
        return found, read[len(asked) :]

    def _article(self, product_id: str, document: Document) -> Article:
        known = self._articles.get(product_id, document.etag)
        if known is not None:
            return known
        product = document.data
        variants = {variant["variant_id"]: self._goods(product, variant) for variant in product["variants"]}
        at_home = product["price"]["currency"] == self._prices.currency
        article = Article(product["status"], product["status"] == "active" and at_home, variants)
        self._articles.put(product_id, document.etag, article)
        return article

    def _goods(self, product: Json, variant: Json) -> Goods:
        """A variant as it is sold. Its price, in its own currency's minor units, is the product's, adjusted."""
        price, currency = product["price"], product["price"]["currency"]
        images = sorted(product["images"], key=lambda image: image["order"])
        return Goods(
            product_id=product["product_id"],
            variant_id=variant["variant_id"],
            sku=variant["sku"],
            name=product["name"],
            variant_name=" / ".join(variant["attributes"].values())[:_VARIANT_NAME],
            unit_price=minor_units(price["amount"], currency) + minor_units(variant["price_adjustment"], currency),
            tax_rate=millionths(price["tax_rate"]),
            grams=variant.get("weight_grams") or self._prices.shipping.usual_weight(product["category_slug"]),
            image_url=images[0]["url"] if images else None,
        )
