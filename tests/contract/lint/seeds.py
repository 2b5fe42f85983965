"""Defects for the small good contract, one each, with the rule that must find it and no other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

GOOD = Path(__file__).parent / "good"
OPENAPI = "openapi/openapi.yaml"
PRODUCTS = "openapi/paths/products/"
LIST, GET, CREATE = f"{PRODUCTS}list_products.yaml", f"{PRODUCTS}get_product.yaml", f"{PRODUCTS}create_product.yaml"
UPDATE, DELETE = f"{PRODUCTS}update_product.yaml", f"{PRODUCTS}delete_product.yaml"
ORDER = "openapi/paths/orders/create_order.yaml"
SCHEMAS, PARAMETERS = "openapi/components/schemas/", "openapi/components/parameters/"
EVENTS = "asyncapi/asyncapi.yaml"
EVENT, EVENT_DATA = "asyncapi/messages/ProductCreated.yaml", "asyncapi/components/schemas/ProductCreatedData.yaml"


@dataclass(frozen=True)
class Seed:
    """Replaces `old` by `new` in a file, once. Without `old`: writes `new` as the file. `also` names rules that
    cannot help seeing the same defect. `place` is where it is found, when that is another file."""

    rule: str
    file: str
    old: str
    new: str
    also: tuple[str, ...] = ()
    place: str = ""

    def plant(self, root: Path) -> None:
        """Copies the good contract to a folder, with the defect."""
        shutil.copytree(GOOD, root, dirs_exist_ok=True)
        path = root / self.file
        if not self.old:
            path.write_text(self.new, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        assert self.old in text, f"{self.file} has no {self.old!r}"
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")


def answer(status: str, name: str) -> str:
    """The lines of an answer by reference."""
    return f'  "{status}":\n    $ref: ../../components/responses/{name}.yaml\n'
