"""`generated/typescript/`: the TypeScript client package, written from the bundle.

The frame (`infra/contract/client/`: session, errors, package files) is copied; names of models and hooks are written
here; the types come from `openapi-typescript`, which needs Node. Without it they stay as they are, and a line says so.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from infra.contract import toolchain
from infra.contract.bundle import Json, dump
from infra.contract.policy import operations

FRAME = Path(__file__).resolve().parent / "client"
_CLI = "openapi-typescript/bin/cli.js"
_BANNER = "// Written by `make generate` from `openapi/`. Do not edit.\n"
_RENAMED = {"Error": "ErrorEnvelope", "Date": "Day"}  # names that would hide JavaScript's own


def write_typescript(bundle_path: Path, out: Path) -> None:
    """Writes the client package below `out`."""
    document: Json = yaml.load(bundle_path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    ignored = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(FRAME, out, dirs_exist_ok=True, ignore=ignored)
    for name in ("package.json", "package-lock.json"):
        _set_version(out / name, document["info"]["version"])
    (out / "src" / "models.ts").write_text(render_models(document), encoding="utf-8")
    (out / "src" / "hooks.ts").write_text(render_hooks(document), encoding="utf-8")
    try:
        _write_types(document, out / "src" / "schema.ts")
    except toolchain.ToolchainMissing as reason:
        print(f"  typescript  types left as they are: {reason}", file=sys.stderr)


def _set_version(path: Path, version: str) -> None:
    package = json.loads(path.read_text(encoding="utf-8"))
    package["version"] = version
    if "packages" in package:
        package["packages"][""]["version"] = version
    path.write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def render_models(document: Json) -> str:
    """`models.ts`: every schema of the contract under its own name."""
    lines = [_BANNER, 'import type { components } from "./schema.js";\n', 'type Schemas = components["schemas"];\n']
    names = document["components"]["schemas"]
    lines += [f'export type {_RENAMED.get(name, name)} = Schemas["{name}"];' for name in names]
    return "\n".join([*lines, ""])


def render_hooks(document: Json) -> str:
    """`hooks.ts`: a TanStack Query hook for every operation that answers JSON or nothing."""
    lines = [
        _BANNER,
        'import type { HubClient } from "./client.js";',
        'import { createQueries, mutation, query } from "./query.js";\n',
        "/** The hooks of every operation over one client; `api` has the generic ones. */",
        "export function createHooks(client: HubClient) {",
        "  const api = createQueries(client);",
        "  return {",
        "    api,",
        *_hooks(document),
        "  };",
        "}\n",
        "export type Hooks = ReturnType<typeof createHooks>;",
        'export { createQueries, type HubQueries, type MutationHook, type QueryHook } from "./query.js";',
    ]
    return "\n".join([*lines, ""])


def _hooks(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        if not _answers_json(operation):
            continue
        name = operation["operationId"]
        old = " @deprecated" if operation.get("deprecated") else ""
        call = f'query(api, "{path}")' if method == "get" else f'mutation(api, "{method}", "{path}")'
        yield f"    /** {operation['summary']}.{old} */"
        yield f"    use{name[0].upper()}{name[1:]}: {call},"


def _answers_json(operation: Json) -> bool:
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    return all(set(answer.get("content", {})) <= {"application/json"} for answer in answers)


def _write_types(document: Json, target: Path) -> None:
    """One file of types. Parameters that are JSON take the type of their JSON, not of its text; what has a default in a
    request may be left out."""
    for parameter in document["components"]["parameters"].values():
        if "content" in parameter:
            parameter["schema"] = parameter.pop("content")["application/json"]["schema"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "openapi.yaml"
        source.write_text(dump(document), encoding="utf-8")
        toolchain.run(_CLI, str(source), "--default-non-nullable", "false", "--output", str(target))
