"""The generators: the same bytes every time, drift found and shown, and no constraint lost on the way into code."""

from __future__ import annotations

import dataclasses
import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import jsonschema_rs
import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from handlers.contract.operation import Operation
from handlers.contract.parameters import ecma
from infra.contract import models, policy, routing, vendor
from infra.contract.bundle import ROOT, ContractError, Json, bundle_openapi
from infra.contract.generate import stale, unwritten
from infra.contract.patterns import portable
from tests.support.small.build import generated_package, small_document

STEPS = ("models", "docs", "typescript")


def generated(package: str, name: str) -> Any:
    """A module of the small contract's generated code."""
    return importlib.import_module(f"{package}.{name}")


def run(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`python -m infra.contract.generate` in a copy of the repository, without the steps that take long."""
    command = [sys.executable, "-W", "ignore", "-m", "infra.contract.generate", *options, "--skip", *STEPS]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What generating needs of the repository, generated anew."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("openapi", "asyncapi", "infra/contract"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("infra/__init__.py", "infra/containers.yaml"):
        shutil.copy(ROOT / name, root / name)
    done = run(root)
    assert done.returncode == 0, done.stderr
    return root


def test_the_same_sources_give_the_same_bytes(copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in (copy / "generated").glob("*.*")}
    assert {"openapi.yaml", "asyncapi.json", "routing.py", "params.py", "access.py", "containers.py"} <= before.keys()
    assert run(copy).returncode == 0
    assert {path.name: path.read_bytes() for path in (copy / "generated").glob("*.*")} == before
    clean = run(copy, "--check")
    assert (clean.returncode, clean.stdout.splitlines()[-1]) == (0, "generated/ is up to date")


def test_drift_is_found_and_shown(copy: Path) -> None:
    source = copy / "openapi" / "paths" / "system" / "get_liveness.yaml"
    original = source.read_text(encoding="utf-8")
    source.write_text(original.replace("per_minute: 600", "per_minute: 601"), encoding="utf-8")
    found = run(copy, "--check")
    assert found.returncode == 1
    assert "--- committed generated/routing.py" in found.stderr
    assert "-    limit=LimitRule(per_minute=600, burst=100)," in found.stderr
    assert "+    limit=LimitRule(per_minute=601, burst=100)," in found.stderr
    assert "3 files are stale: run `make generate`." in found.stderr
    source.write_text(original, encoding="utf-8")
    assert run(copy, "--check").returncode == 0


def test_a_source_that_does_not_bundle_is_named(copy: Path) -> None:
    source = copy / "openapi" / "paths" / "system" / "get_liveness.yaml"
    original = source.read_text(encoding="utf-8")
    source.write_text(original.replace("Liveness.yaml", "Nowhere.yaml"), encoding="utf-8")
    found = run(copy, "--check")
    source.write_text(original, encoding="utf-8")
    assert found.returncode == 1
    assert "Nowhere.yaml: no such file" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_missing_file_is_drift(tmp_path: Path) -> None:
    for name in ("fresh", "committed"):
        (tmp_path / name).mkdir()
    (tmp_path / "fresh" / "new.py").write_text("x = 1\n", encoding="utf-8")
    (diff,) = stale(tmp_path / "fresh", tmp_path / "committed")
    assert diff.splitlines()[:2] == ["--- committed generated/new.py", "+++ fresh generated/new.py"]
    assert "+x = 1" in diff


def test_a_file_that_nothing_writes_is_found(tmp_path: Path) -> None:
    fresh, committed = tmp_path / "fresh", tmp_path / "generated"
    for name in ("routing.py", "by_hand.py", "docs/assets/scalar.js", "__pycache__/routing.pyc"):
        (committed / name).parent.mkdir(parents=True, exist_ok=True)
        (committed / name).write_text("x\n", encoding="utf-8")
    fresh.mkdir()
    (fresh / "routing.py").write_text("x\n", encoding="utf-8")
    assert unwritten(fresh, committed) == ["generated/by_hand.py: nothing writes this file; remove it"]


def test_vendored_files_are_the_pinned_ones(tmp_path: Path) -> None:
    assert list(vendor.faults()) == []
    assets = tmp_path / "assets"
    shutil.copytree(vendor.ASSETS, assets)
    with (assets / "scalar.js").open("a", encoding="utf-8") as file:
        file.write("// changed by hand\n")
    (assets / "asyncapi.css").unlink()
    said = list(vendor.faults(assets))
    assert [line.partition(":")[0] for line in said] == ["scalar.js", "asyncapi.css"]
    assert "not the file of @scalar/api-reference" in said[0]


def test_models_are_the_same_wherever_they_are_written(small_package: str, tmp_path: Path) -> None:
    again = generated_package(small_document(), tmp_path)
    for name in ("models", "views"):
        first, second = (Path(generated(package, name).__file__) for package in (small_package, again))
        assert first.read_bytes() == second.read_bytes()


def test_parameters_become_a_dataclass(small_package: str) -> None:
    kind = generated(small_package, "params").ListThingsParameters
    fields = {each.name: each for each in dataclasses.fields(kind)}
    assert fields["q"].default is dataclasses.MISSING
    assert (fields["page"].default, fields["from_"].default, fields["price"].default) == (1, "here", None)
    assert kind(q="x").tag == [7]
    assert kind(q="x").tag is not kind(q="x").tag
    assert fields["filter"].type == "m.ThingFilter | None"
    assert fields["tag"].type == "list[int]"
    assert fields["color"].type == "list[Literal['red', 'blue']] | None"
    assert {"x_count", "if_match"} <= fields.keys()


def test_operations_carry_what_the_contract_says(small_package: str) -> None:
    operations: dict[str, Operation] = {each.id: each for each in generated(small_package, "routing").OPERATIONS}
    old, limited, later, staff = (operations[name] for name in ("getOld", "getLimited", "laterThing", "askStaff"))
    assert dict(old.headers) == {
        b"cache-control": b"private, max-age=5",
        b"deprecation": b"@1769731200",
        b"sunset": b"Wed, 30 Jun 2027 00:00:00 GMT",
    }
    assert limited.limit is not None
    assert (limited.limit.per_minute, limited.limit.burst) == (1, 2)
    assert later.handler is None
    assert later.body is not None
    assert (staff.access.role, staff.access.permissions) == ("staff", frozenset({"read:orders"}))
    assert (operations["createThing"].status, operations["deleteThing"].status) == (201, 204)
    update, free = operations["updateThing"].body, operations["sendFree"].body
    assert update is not None
    assert free is not None
    assert (update.min_properties, update.required, update.free_form) == (1, True, False)
    assert (free.min_properties, free.required, free.free_form) == (0, False, True)


def test_models_keep_absent_apart_from_null(small_package: str) -> None:
    update: type[BaseModel] = generated(small_package, "models").ThingUpdate
    assert update.model_validate_json("{}").model_fields_set == set()
    assert update.model_validate_json('{"name":null}').model_fields_set == {"name"}
    for body in ('{"name":"xxxxxxxxxxx"}', '{"name":1}', '{"other":1}'):
        with pytest.raises(ValidationError):
            update.model_validate_json(body, strict=True)


def operation_with(**parameter: Any) -> Json:
    """A contract of one operation with one parameter."""
    whole = {"name": "p", "in": "query", **parameter}
    operation = {
        "operationId": "getIt",
        "tags": ["shop"],
        "x-required-role": "anonymous",
        "x-status": "planned",
        "parameters": [whole],
        "responses": {"200": {"description": "x"}},
    }
    return {"paths": {"/it": {"get": operation}}, "components": {"schemas": {}}}


def render(document: Json) -> str:
    """Parameters and routing of a contract, one after the other."""
    return routing.render_params(document) + routing.render_routing(document)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"schema": {"type": "integer", "exclusiveMinimum": True, "minimum": 0}}, "exclusiveMinimum is not supported"),
        ({"schema": {"type": "integer", "enum": [1, 2]}}, "enum is not supported"),
        ({"schema": {"type": "number", "multipleOf": 0.5}}, "multipleOf is not supported"),
        ({"schema": {"type": "string", "nullable": True}}, "nullable is not supported"),
        ({"schema": {"type": "string", "format": "uuid"}}, "format uuid is not supported"),
        ({"schema": {"type": "string", "format": "date", "default": "2026-01-01"}}, "a default of a date"),
        ({"schema": {"type": "array", "items": {"type": "string"}}}, "need maxItems"),
        ({"schema": {"type": "array", "maxItems": 2, "minItems": 1, "items": {"type": "string"}}}, "minItems"),
        ({"explode": False, "schema": {"type": "array", "maxItems": 2, "items": {"type": "string"}}}, "exploded"),
        ({"in": "header", "schema": {"type": "array", "maxItems": 2, "items": {"type": "string"}}}, "in the query"),
    ],
)
def test_a_constraint_that_nobody_would_check_ends_the_generation(parameter: Json, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        render(operation_with(**parameter))


@pytest.mark.parametrize(
    ("parameter", "line"),
    [
        ({"name": "class", "schema": {"type": "boolean", "default": False}}, "class_: bool = False"),
        ({"name": "If-Match", "in": "header", "schema": {"type": "string"}}, "if_match: str | None = None"),
        ({"name": "itemId", "in": "path", "required": True, "schema": {"type": "string"}}, "item_id: str"),
        ({"schema": {"type": "number", "default": 1.5}}, "p: float = 1.5"),
        ({"schema": {"type": "string", "format": "date-time"}}, "p: datetime | None = None"),
        ({"schema": {"type": "string", "enum": ["a"], "default": "a", "x-note": 1}}, "p: Literal[\"a\"] = 'a'"),
    ],
)
def test_names_and_defaults_of_parameters(parameter: Json, line: str) -> None:
    text = routing.render_params(operation_with(**parameter))
    assert f"    {line}\n" in text
    compile(text, "params.py", "exec")
    compile(routing.render_routing(operation_with(**parameter)), "routing.py", "exec")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\S+$", "a\u0085\x1cb", "a\ufeffb"),
        (r"^[^/\s]+$", "a\u0085b", "a\u00a0b"),
        (r"^\s$", "\u2028", "\u0085"),
        (r"^\d+$", "12", "1٣"),
        (r"^[\w.]+$", "a_1.", "é"),
        (r"^\W$", "é", "_"),
        (r"^[\]\\s]+$", "]s\\", " "),
        (r"^\.$", ".", "x"),
    ],
)
def test_patterns_mean_the_same_in_every_language(pattern: str, good: str, bad: str) -> None:
    said = portable(pattern)
    in_rust = TypeAdapter(Annotated[str, Field(pattern=said)])
    published = jsonschema_rs.Draft7Validator({"pattern": pattern})
    for text, fits in ((good, True), (bad, False)):
        assert bool(ecma(said).search(text)) is fits
        assert published.is_valid(text) is fits
        if fits:
            in_rust.validate_python(text)
        else:
            with pytest.raises(ValidationError):
                in_rust.validate_python(text)


@pytest.mark.parametrize("pattern", [r"[\S]", r"[^\D]", r"\bword", r"a\B"])
def test_patterns_that_cannot_mean_the_same_end_the_generation(pattern: str) -> None:
    with pytest.raises(ContractError, match="pattern"):
        portable(pattern)


def test_every_error_code_has_its_status() -> None:
    text = policy.render_errors(bundle_openapi())
    assert '"METHOD_NOT_ALLOWED": 405,' in text
    assert '"NOT_IMPLEMENTED": 501,' in text


def test_the_smallest_status_of_success_is_the_operations() -> None:
    operation = {"responses": {"404": {}, "202": {"description": "a"}, "201": {"description": "b"}}}
    assert routing.success(operation) == (201, {"description": "b"})


def test_a_schema_that_cannot_be_modelled_is_an_error(tmp_path: Path) -> None:
    document = {
        "info": {"title": "x", "version": "1"},
        "paths": {"/x": {"post": {"requestBody": {"$ref": "#/components/schemas/Bad"}, "operationId": "x"}}},
        "components": {
            "schemas": {"Bad": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/No"}}}}
        },
    }
    with pytest.raises((RuntimeError, KeyError)):
        models.write_models(document, tmp_path / "models.py")
