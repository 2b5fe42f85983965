"""`generated/typescript/src/`: the types and hooks of the TypeScript client, written from the bundle.

The types come from `openapi-typescript` and need Node; without it they stay as they are, and a line says so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import yaml

from infra.contract import toolchain
from infra.contract.bundle import Json, dump

_EDGE_HEADERS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_CLI = "openapi-typescript/bin/cli.js"


def write_typescript(bundle_path: Path, out: Path) -> None:
    """Writes what is generated of the client package below `out`."""
    document: Json = yaml.load(bundle_path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    source = out / "src"
    source.mkdir(parents=True, exist_ok=True)
    try:
        _write_types(document, source / "schema.ts")
    except toolchain.ToolchainMissing as reason:
        print(f"  typescript  types left as they are: {reason}", file=sys.stderr)


def _write_types(document: Json, target: Path) -> None:
    """One file of types. The headers that every answer has are left out of it: they are half of its size."""
    for container in (*_responses(document), document["components"]):
        for header in _EDGE_HEADERS:
            container.get("headers", {}).pop(header, None)
    with tempfile.TemporaryDirectory() as folder:
        slim = Path(folder) / "openapi.yaml"
        slim.write_text(dump(document), encoding="utf-8")
        toolchain.run(_CLI, str(slim), "--output", str(target))


def _responses(document: Json) -> list[Json]:
    inline = [
        response
        for item in document["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
    ]
    return [*inline, *document["components"]["responses"].values()]
