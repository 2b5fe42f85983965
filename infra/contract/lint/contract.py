"""The contract as the rules see it: source files, operations, components and both bundles, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.contract.bundle import METHODS, ContractError, Json, bundle_asyncapi, bundle_openapi, load

ENTRY = "openapi/openapi.yaml"
EVENTS_ENTRY = "asyncapi/asyncapi.yaml"
KINDS = ("schemas", "parameters", "responses", "headers", "examples")


@dataclass(frozen=True)
class Operation:
    """One operation: where it is said, and its source with references as the bundle has them."""

    path: str
    method: str
    place: str
    document: Json

    @property
    def id(self) -> str:
        """Its operationId, or an empty string."""
        return str(self.document.get("operationId", ""))

    @property
    def tag(self) -> str:
        """Its first tag, or an empty string."""
        return str((self.document.get("tags") or [""])[0])

    @property
    def planned(self) -> bool:
        """Whether its handler is still to come."""
        return self.document.get("x-status") == "planned"


@dataclass
class Contract:
    """All documents below one root. Without a bundle (`bundled` is false) only the raw files are there."""

    root: Path
    files: dict[str, Any] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    http: Json = field(default_factory=dict)
    events: Json = field(default_factory=dict)
    unbundled: list[tuple[str, str]] = field(default_factory=list)
    odd_keys: list[tuple[str, str]] = field(default_factory=list)

    @property
    def bundled(self) -> bool:
        """Whether both documents could be put together."""
        return not (self.unreadable or self.unbundled or self.odd_keys)

    @property
    def entry(self) -> Json:
        """The table of contents of the HTTP contract."""
        entry: Json = self.files.get(ENTRY) or {}
        return entry

    def listed(self) -> Iterator[tuple[str, str, str]]:
        """Path, method and file of every operation that the table of contents lists."""
        for path, item in (self.entry.get("paths") or {}).items():
            for method, reference in item.items():
                target = reference.get("$ref", "") if isinstance(reference, dict) else ""
                yield path, method, f"openapi/{target}" if target else ENTRY

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation of the bundle with its file."""
        places = {(path, method): place for path, method, place in self.listed()}
        return [
            Operation(path, method, places[path, method], item[method])
            for path, item in self.http["paths"].items()
            for method in METHODS
            if method in item
        ]

    def components(self, kind: str) -> dict[str, Json]:
        """The components of one kind that are in use, by name."""
        found: dict[str, Json] = self.http["components"].get(kind, {})
        return found

    @cached_property
    def documents(self) -> list[tuple[str, str, Json]]:
        """Every operation and component of the bundle as (file, kind, document)."""
        found = [(operation.place, "operation", operation.document) for operation in self.operations]
        for kind in KINDS:
            found += [(component_place(kind, name), kind, doc) for name, doc in self.components(kind).items()]
        return found

    def resolve(self, node: Json) -> Json:
        """The node itself, or the component that its reference names."""
        target = node.get("$ref")
        if not isinstance(target, str):
            return node
        _, _, kind, name = target.split("/")
        return self.resolve(self.components(kind)[name])

    def parameters(self, operation: Operation) -> list[Json]:
        """The parameters of an operation, resolved."""
        return [self.resolve(parameter) for parameter in operation.document.get("parameters", [])]

    @cached_property
    def plan_operations(self) -> set[str]:
        """`METHOD /path` of every operation that the plan has."""
        return _lines(self.root / "infra" / "contract" / "plan_operations.txt")

    @cached_property
    def plan_events(self) -> dict[str, str]:
        """The topic of every event that the plan has."""
        lines = _lines(self.root / "infra" / "contract" / "plan_events.txt")
        return {event: topic for topic, event in (line.split() for line in lines)}


def component_place(kind: str, name: str) -> str:
    """The file of a component."""
    return f"openapi/components/{kind}/{name}.yaml"


def read(root: Path) -> Contract:
    """Reads and bundles everything below a root; what fails is kept as a finding instead of raised."""
    contract = Contract(root)
    for folder in ("openapi", "asyncapi"):
        for path in sorted((root / folder).rglob("*.yaml")):
            place = path.relative_to(root).as_posix()
            try:
                contract.files[place] = load(path)
            except ContractError as error:
                contract.unreadable.append((place, str(error).replace("\n", " ")))
    contract.odd_keys = [(place, fault) for place, document in contract.files.items() for fault in _odd_keys(document)]
    if contract.bundled:
        _bundle(contract)
    return contract


def _bundle(contract: Contract) -> None:
    try:
        contract.http = bundle_openapi(contract.root)
        contract.events = bundle_asyncapi(contract.root)
    except ContractError as error:
        for line in str(error).splitlines():
            place, _, message = line.partition(": ")
            place = place.removeprefix(f"{contract.root}/")
            known = place in contract.files
            contract.unbundled.append((place if known else ENTRY, message if known else f"{place}: {message}"))
    except (KeyError, TypeError, AttributeError) as error:
        contract.unbundled.append((ENTRY, f"does not bundle: {error!r}"))


def _odd_keys(node: Any, pointer: str = "") -> Iterator[str]:
    """Keys that YAML reads as something else than a string."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(node, dict) and not isinstance(key, str):
            yield f"{pointer or '/'}: YAML reads the key {key!r}; put it in quotes"
        yield from _odd_keys(value, f"{pointer}/{key}")


def _lines(path: Path) -> set[str]:
    """The lines of a list, without comments and blanks."""
    if not path.is_file():
        return set()
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line and not line.startswith("#")}
