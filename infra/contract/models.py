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
from infra.contract.patterns import portable
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
    "--target-pydantic-version=2.14",
    "--use-missing-sentinel",
    "--set-default-enum-member",
    "--use-annotated",
    "--field-constraints",
    "--use-type-alias",
    # Amounts come as JSON numbers and go into Money by their shortest text; strings are no amounts.
    "--type-mappings",
    "string+email=string",
    "number+decimal=number",
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
    _write(document, _reachable(document, roots), _REQUESTS, target, strict_formats=True)


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


def _write(document: Json, names: set[str], options: list[str], target: Path, *, strict_formats: bool = False) -> None:
    chosen = {name: schema for name, schema in document["components"]["schemas"].items() if name in names}
    schemas = {name: _for_models(schema, strict_formats=strict_formats) for name, schema in chosen.items()}
    part = {"openapi": "3.0.3", "info": document["info"], "paths": {}, "components": {"schemas": schemas}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The generator wraps lines as the nearest pyproject.toml says: the same one, wherever the target is.
        (folder / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n", encoding="utf-8")
        (folder / "part.yaml").write_text(yaml.dump(part, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        tool = [sys.executable, "-W", "ignore", "-m", "datamodel_code_generator"]
        command = [*tool, "--input", "part.yaml", "--output", "out.py", *_COMMON, *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{target.name}: datamodel-code-generator failed\n{done.stderr[-4000:]}")
        target.write_bytes((folder / "out.py").read_bytes())


# How requests read a format more strictly than pydantic would.
_FORMATS = {"date": "Day", "date-time": "Moment", "uri": "Uri"}


def _for_models(node: Any, *, strict_formats: bool) -> Any:
    """A schema for code: without examples, which are noise there, and with our own types for some formats."""
    if isinstance(node, list):
        return [_for_models(item, strict_formats=strict_formats) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {
        key: {name: _for_models(value, strict_formats=strict_formats) for name, value in content.items()}
        if key == "properties"
        else _for_models(content, strict_formats=strict_formats)
        for key, content in node.items()
        if key not in ("example", "examples")
    }
    pattern = node.get("pattern")
    if isinstance(pattern, str):
        schema["pattern"] = portable(pattern)
    kind = _FORMATS.get(str(node.get("format"))) if strict_formats and node.get("type") == "string" else None
    if kind is not None:
        schema["customTypePath"] = f"handlers.contract.formats.{kind}"
        if kind != "Uri":
            # Their texts have the lengths that the format gives them; what comes of them has none.
            schema.pop("maxLength", None)
    return schema
