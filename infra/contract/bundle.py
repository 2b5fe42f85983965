"""Bundles the contract's many files into one document each: `openapi` and `asyncapi`.

Every relative file reference becomes `#/components/<kind>/<FileName>`; nothing is copied twice and names are kept, so
the bundle diffs as the sources do. Run as `python -m infra.contract.bundle` to check that every reference resolves.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "delete", "patch")
Json = dict[str, Any]

# What the edge sends with every answer; declared once here instead of in every operation file.
_EDGE_HEADERS = {
    "X-Request-Id": "XRequestId",
    "RateLimit-Limit": "RateLimitLimit",
    "RateLimit-Remaining": "RateLimitRemaining",
    "RateLimit-Reset": "RateLimitReset",
}
_CREDENTIALS: list[Json] = [{"bearerAuth": []}, {"cookieAuth": []}]


class ContractError(Exception):
    """A source file of the contract is missing, unreadable or refers to something that does not exist."""


class _Loader(yaml.CSafeLoader):
    """YAML with timestamps left as the strings they are on the wire, and duplicate keys refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice:
            raise ContractError(f"{node.start_mark.name}: key written twice: {', '.join(sorted(twice))}")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> Any:
    """Reads one YAML file. Raises `ContractError` that names the file when it is missing or malformed."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader subclass
    except FileNotFoundError:
        raise ContractError(f"{_shown(path)}: no such file") from None
    except yaml.YAMLError as error:
        raise ContractError(f"{_shown(path)}: {error}") from error


def walk(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every node of a document with its JSON Pointer, the root first."""
    yield place, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{place}/{index}")


def references(node: Any) -> Iterator[str]:
    """Every `$ref` of a document."""
    for _, value in walk(node):
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            yield value["$ref"]


class _Bundler:
    """Collects the components that a document refers to, each file once."""

    def __init__(self, kinds: dict[Path, str]) -> None:
        self.kinds = kinds
        self.components: dict[str, Json] = {}
        self.missing: list[str] = []
        self._sources: dict[str, Path] = {}

    def resolve(self, node: Any, base: Path) -> Any:
        """The node with its file references turned into references inside the bundle."""
        if isinstance(node, list):
            return [self.resolve(item, base) for item in node]
        if not isinstance(node, dict):
            return node
        target = node.get("$ref")
        if isinstance(target, str) and not target.startswith("#"):
            return {**{k: v for k, v in node.items() if k != "$ref"}, "$ref": self.component(target, base)}
        return {key: self.resolve(value, base) for key, value in node.items()}

    def component(self, target: str, base: Path) -> str:
        """The bundle's name of a referenced file, which is read at its first use."""
        path = Path(os.path.normpath(base.parent / target))
        kind = self.kinds.get(path.parent)
        if kind is None:
            self.missing.append(f"{_shown(base)}: {target} is outside the component folders")
            return target
        name = path.stem
        known = self._sources.setdefault(f"{kind}/{name}", path)
        if known != path:
            raise ContractError(f"{_shown(path)} and {_shown(known)} share one name")
        if name not in self.components.setdefault(kind, {}):
            self.components[kind][name] = {}
            try:
                self.components[kind][name] = self.resolve(load(path), path)
            except ContractError as error:
                self.missing.append(f"{_shown(base)}: {error}")
        return f"#/components/{kind}/{name}"

    def finish(self) -> None:
        """Raises `ContractError` with every reference that led nowhere."""
        if self.missing:
            raise ContractError("\n".join(sorted(set(self.missing))))


def bundle_openapi(root: Path = ROOT) -> Json:
    """The OpenAPI document as published: operations in place, policy completed, components by name.

    Raises `ContractError` that lists every unreadable file and dangling reference.
    """
    source = root / "openapi" / "openapi.yaml"
    folder = source.parent / "components"
    bundler = _Bundler({folder / kind: kind for kind in ("schemas", "parameters", "responses", "headers", "examples")})
    document = load(source)
    paths: Json = {}
    for path, methods in document["paths"].items():
        paths[path] = {method: _operation(ref, source, bundler) for method, ref in methods.items()}
    for name in _EDGE_HEADERS.values():
        bundler.component(f"components/headers/{name}.yaml", source)
    for name in ("MethodNotAllowed",):
        bundler.component(f"components/responses/{name}.yaml", source)
    bundler.finish()
    components = {**document["components"], **{k: dict(sorted(v.items())) for k, v in bundler.components.items()}}
    for response in components["responses"].values():
        _add_edge_headers(response)
    return {
        **{k: v for k, v in document.items() if k not in ("paths", "components")},
        "paths": paths,
        "components": components,
    }


def _operation(ref: Json, source: Path, bundler: _Bundler) -> Json:
    path = source.parent / str(ref["$ref"])
    try:
        operation = bundler.resolve(load(path), path)
    except ContractError as error:
        bundler.missing.append(str(error))
        return {}
    for response in operation.get("responses", {}).values():
        if "$ref" not in response:
            _add_edge_headers(response)
    if "security" not in operation:
        optional = operation.get("x-required-role") == "anonymous" and not operation.get("x-permissions")
        operation["security"] = [*_CREDENTIALS, {}] if optional else list(_CREDENTIALS)
    return dict(operation)


def _add_edge_headers(response: Json) -> None:
    headers = response.setdefault("headers", {})
    for header, component in _EDGE_HEADERS.items():
        headers.setdefault(header, {"$ref": f"#/components/headers/{component}"})


def bundle_asyncapi(root: Path = ROOT) -> Json:
    """The AsyncAPI document as published. Shared OpenAPI schemas lose `nullable` for a JSON Schema type list.

    Raises `ContractError` that lists every unreadable file and dangling reference.
    """
    source = root / "asyncapi" / "asyncapi.yaml"
    kinds = {source.parent / "messages": "messages", source.parent / "components" / "schemas": "schemas"}
    kinds[source.parent / "components"] = "schemas"
    kinds[root / "openapi" / "components" / "schemas"] = "schemas"
    bundler = _Bundler(kinds)
    document = load(source)
    channels: Json = {}
    for name, channel in document.get("channels", {}).items():
        target = channel.get("$ref") if isinstance(channel, dict) else None
        path = source.parent / target if target else source
        channels[name] = bundler.resolve(load(path) if target else channel, path)
    rest = {k: bundler.resolve(v, source) for k, v in document.items() if k not in ("channels", "components")}
    own = bundler.resolve(document.get("components", {}), source)
    bundler.finish()
    components = {**own, **{k: {**own.get(k, {}), **dict(sorted(v.items()))} for k, v in bundler.components.items()}}
    components["schemas"] = {name: _draft7(schema) for name, schema in components.get("schemas", {}).items()}
    return {**rest, "channels": channels, "components": components}


def _draft7(node: Any) -> Any:
    """OpenAPI 3.0 `nullable` and `example` said in JSON Schema draft 7, which AsyncAPI 3.0 uses."""
    if isinstance(node, list):
        return [_draft7(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _draft7(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        if isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
            if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
                schema["enum"] = [*schema["enum"], None]
        elif schema.get("enum") == [None]:
            schema = {"type": "null"}
    if isinstance(schema.get("type"), str | list) and "example" in schema:
        schema["examples"] = [schema.pop("example")]
    return schema


def dump(document: Json) -> str:
    """The bundle as YAML text, always the same for the same document."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.CSafeDumper):
    """Block style without aliases, so that the file reads and diffs well."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main() -> int:
    """Checks that both documents bundle; prints what does not resolve and answers the exit code."""
    failed = 0
    for name, bundle in (("openapi", bundle_openapi), ("asyncapi", bundle_asyncapi)):
        try:
            document = bundle()
        except ContractError as error:
            print(f"{name}: does not bundle\n{error}", file=sys.stderr)
            failed = 1
            continue
        print(f"{name}: ok, {sum(1 for _ in references(document))} references")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
