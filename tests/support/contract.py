"""The contract as the tests read it: straight from its sources, not from what was generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from infra.contract.bundle import METHODS, Json, bundle_openapi

RANK = ("anonymous", "customer", "staff", "admin")


@dataclass(frozen=True)
class Declared:
    """An operation as its file declares it."""

    path: str
    method: str
    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its operationId."""
        return str(self.content["operationId"])

    @property
    def tag(self) -> str:
        """Its room."""
        return str(self.content["tags"][0])

    @property
    def built(self) -> bool:
        """Whether it says that there is a handler."""
        return self.content.get("x-status") != "planned"

    @property
    def reads_credentials(self) -> bool:
        """Whether tokens matter to it at all."""
        return bool(self.content["security"])

    def may(self, role: str) -> bool:
        """Whether a role may call it: its rank, and its permissions, by the contract's own table."""
        table = document()["x-roles"]
        name = "anonymous" if role == "nobody" else role
        rank = "anonymous" if role in ("nobody", "guest") else role
        wanted = set(self.content.get("x-permissions", ()))
        enough = RANK.index(rank) >= RANK.index(self.content["x-required-role"])
        return not self.reads_credentials or (enough and wanted <= set(table[name]["permissions"]))

    def url(self) -> str:
        """Its path with values that fit the contract and mean nothing."""
        url = self.path
        for parameter in self.content.get("parameters", ()):
            found = resolved(parameter)
            if found["in"] == "path":
                url = url.replace(f"{{{found['name']}}}", quote(str(example_of(found)), safe=""))
        return url


@lru_cache(maxsize=1)
def document() -> Json:
    """The HTTP contract, bundled from its sources."""
    return bundle_openapi()


def operations() -> Iterator[Declared]:
    """Every operation, in the contract's order."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield Declared(path, method.upper(), item[method])


def resolved(node: Json) -> Json:
    """What a reference points to; the node itself when it is none."""
    while "$ref" in node:
        target: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def example_of(parameter: Json) -> Any:
    """The example of a parameter, or of its schema."""
    return parameter["example"] if "example" in parameter else resolved(parameter["schema"])["example"]
