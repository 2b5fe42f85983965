"""`generated/models.py` (requests), `views.py` (answers) and `events.py`, by datamodel-code-generator.

Each gets only the schemas it can reach, so that start-up compiles no validator that nobody calls.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from infra.contract.bundle import Json, references
from infra.contract.consumers import render_table
from infra.contract.policy import operations
from infra.contract.routing import resolved, success

_COMMON = [
    "--input-file-type=openapi",
    "--target-python-version=3.11",
    "--strict-nullable",
    "--disable-timestamp",
    "--formatters=builtin",
    "--enum-field-as-literal=all",
    "--use-standard-collections",
    "--use-union-operator",
    "--collapse-root-models",
    "--custom-file-header=# Written by `make generate` from the contract. Do not edit.",
]
_REQUESTS = [
    "--output-model-type=pydantic_v2.BaseModel",
    "--target-pydantic-version=2.12",
    "--use-missing-sentinel",
    "--set-default-enum-member",
    "--use-annotated",
    "--field-constraints",
    "--use-type-alias",
    # Amounts come as JSON numbers and go into Money by their shortest text; strings are no amounts.
    "--type-mappings",
    "string+email=string",
    "number+decimal=number",
    "string+uri=string",
]
_ANSWERS = [
    "--output-model-type=typing.TypedDict",
    "--type-mappings",
    "string+email=string",
    "number+decimal=number",
    "string+date-time=string",
    "string+date=string",
    "string+uri=string",
    "string+uuid=string",
]


def write_models(document: Json, target: Path) -> None:
    """Pydantic models of every request body and JSON parameter."""
    roots: list[Any] = []
    for _, _, operation in operations(document):
        roots.append(operation.get("requestBody", {}))
        roots += [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    _write(document, _reachable(document, roots), _REQUESTS, target)
    target.write_text(_with_strict_times(target.read_text(encoding="utf-8")), encoding="utf-8")


def _with_strict_times(text: str) -> str:
    """The models with days and moments as `handlers.contract.moments` reads them, under the generator's names."""
    names = {"date": "Day as date", "AwareDatetime": "Moment as AwareDatetime"}
    used: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        module, imports, listed = line.partition(" import ")
        if imports and module in ("from datetime", "from pydantic"):
            wanted = listed.split(", ")
            used += [names[name] for name in wanted if name in names]
            wanted = [name for name in wanted if name not in names]
            if not wanted:
                continue
            line = f"{module} import {', '.join(wanted)}"  # noqa: PLW2901 - the same line, with less in it
        lines.append(line)
    if used:
        at = max(index for index, line in enumerate(lines) if line.startswith("from "))
        lines.insert(at + 1, f"\nfrom handlers.contract.moments import {', '.join(sorted(used))}")
    return "\n".join(lines) + "\n"


def write_views(document: Json, target: Path) -> None:
    """TypedDicts of every success answer, and of the error envelope."""
    roots: list[Any] = [success(operation)[1] for _, _, operation in operations(document)]
    roots.append({"$ref": "#/components/schemas/Error"})
    _write(document, _reachable(document, roots), _ANSWERS, target)


def write_events(document: Json, target: Path) -> None:
    """TypedDicts of every event's data, and the table of events: topic, partition key, readers."""
    data = data_schemas(document)
    names = _reachable(document, [{"$ref": f"#/components/schemas/{schema}"} for schema in data.values()])
    _write(document, names, _ANSWERS, target)
    text = target.read_text(encoding="utf-8")
    future = "from __future__ import annotations\n"
    head, tail = text.split(future, 1)
    imports = "\nfrom dataclasses import dataclass\nfrom typing import Final, Literal as Literal\n"
    target.write_text(head + future + imports + tail.rstrip() + "\n" + render_table(document, data), encoding="utf-8")


def data_schemas(document: Json) -> dict[str, str]:
    """The name of each event's data schema."""
    messages: dict[str, Json] = document["components"]["messages"]
    return {name: _data_schema(document, message) for name, message in messages.items()}


def _data_schema(document: Json, message: Json) -> str:
    payload = resolved(document, message["payload"])
    parts: Iterable[Json] = payload.get("allOf", [payload])
    for part in parts:
        data = resolved(document, part).get("properties", {}).get("data")
        if data and "$ref" in data:
            return str(data["$ref"]).rsplit("/", 1)[1]
    raise ValueError(f"{message.get('name')}: its payload names no data schema")


def _reachable(document: Json, roots: Iterable[Any]) -> set[str]:
    prefix = "#/components/schemas/"
    found: set[str] = set()
    waiting = [ref for root in roots for ref in references(root)]
    while waiting:
        reference = waiting.pop()
        if not reference.startswith(prefix):
            waiting += references(resolved(document, {"$ref": reference}))
            continue
        name = reference.removeprefix(prefix)
        if name not in found:
            found.add(name)
            waiting += references(document["components"]["schemas"][name])
    return found


def _write(document: Json, names: set[str], options: list[str], target: Path) -> None:
    schemas = {name: _for_models(schema) for name, schema in document["components"]["schemas"].items() if name in names}
    part = {"openapi": "3.0.3", "info": document["info"], "paths": {}, "components": {"schemas": schemas}}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as source:
        yaml.dump(part, source, Dumper=yaml.CSafeDumper, sort_keys=False)
        source.flush()
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "datamodel_code_generator",
            "--input",
            source.name,
            "--output",
            str(target),
        ]
        done = subprocess.run([*command, *_COMMON, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{target.name}: datamodel-code-generator failed\n{done.stderr[-4000:]}")


def _for_models(node: Any) -> Any:
    """Examples stay in the document: in code they are noise, and their types would be checked twice."""
    if isinstance(node, list):
        return [_for_models(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _for_models(value) for name, value in content.items()}
        if key == "properties"
        else _for_models(content)
        for key, content in node.items()
        if key not in ("example", "examples")
    }
