"""The gate against breaking changes: seeded mutations of the small contract, breaking ones and harmless ones."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from infra.contract import diff, toolchain
from infra.contract.breaks import read_breaks
from infra.contract.bundle import ROOT, Json, bundle_openapi, dump, load
from tests.contract.lint.seeds import GOOD

Mutate = Callable[[Json], Any]


@pytest.fixture(scope="module")
def base() -> Json:
    """The small contract, released."""
    return bundle_openapi(GOOD)


@pytest.fixture(scope="module")
def _oasdiff() -> None:
    diff.binary()  # without it the tests below fail and say what is missing


def _operation(document: Json, name: str) -> Json:
    found: Json = next(
        operation
        for item in document["paths"].values()
        for operation in item.values()
        if operation["operationId"] == name
    )
    return found


def _schema(document: Json, name: str) -> Json:
    schema: Json = document["components"]["schemas"][name]
    return schema


def _parameter(document: Json, name: str) -> Json:
    parameter: Json = document["components"]["parameters"][name]
    return parameter


def _answer(document: Json, name: str, status: str) -> Json:
    answer: Json = _operation(document, name)["responses"][status]
    return answer


_TEXT = {"type": "string", "description": "New.", "maxLength": 10, "example": "new"}
_WANTED = {"name": "shop", "in": "query", "required": True, "description": "New.", "schema": _TEXT, "example": "new"}
_OFFERED = {**_WANTED, "required": False}

BREAKING: dict[str, Mutate] = {
    "operation removed": lambda d: d["paths"]["/api/products/{product_id}"].pop("get"),
    "path removed": lambda d: d["paths"].pop("/api/orders"),
    "deprecated operation removed before its sunset": lambda d: d["paths"]["/api/products/{product_id}"].pop("delete"),
    "operation renamed": lambda d: _operation(d, "getProduct").update(operationId="readProduct"),
    "parameter removed": lambda d: _operation(d, "listProducts")["parameters"].pop(),
    "required parameter added": lambda d: _operation(d, "listProducts")["parameters"].append(_WANTED),
    "parameter became required": lambda d: _parameter(d, "IfMatch").update(required=True),
    "parameter bounded more": lambda d: _parameter(d, "Limit")["schema"].update(maximum=50),
    "parameter of another type": lambda d: _parameter(d, "Limit").update(schema={"type": "boolean"}),
    "parameter lost an enum value": lambda d: _schema(d, "ProductStatus")["enum"].pop(),
    "property became required": lambda d: _schema(d, "ProductCreate")["required"].append("tags"),
    "required property added": lambda d: (
        _schema(d, "ProductCreate")["properties"].update(shop=_TEXT),
        _schema(d, "ProductCreate")["required"].append("shop"),
    ),
    # A default fills in for an optional property only: a client that leaves it out is refused from now on.
    "property with a default became required": lambda d: _schema(d, "ProductCreate")["required"].append("featured"),
    "required property with a default added": lambda d: (
        _schema(d, "ProductCreate")["properties"].update(shop={**_TEXT, "default": "main"}),
        _schema(d, "ProductCreate")["required"].append("shop"),
    ),
    "default of a parameter changed": lambda d: _parameter(d, "Limit")["schema"].update(default=5),
    "credential no longer taken": lambda d: _operation(d, "createOrder").update(security=[{"cookieAuth": []}]),
    "public operation closed": lambda d: _operation(d, "getProduct").update(security=[{"bearerAuth": []}]),
    "property of a request removed": lambda d: _schema(d, "ProductCreate")["properties"].pop("tags"),
    "property of a request shortened": lambda d: _schema(d, "ProductCreate")["properties"]["name"].update(maxLength=9),
    "property of a request with a new floor": lambda d: _schema(d, "ProductUpdate")["properties"]["name"].update(
        minLength=5
    ),
    "pattern added to a request": lambda d: _schema(d, "ProductCreate")["properties"]["name"].update(pattern="^[a-z]$"),
    "body became required": lambda d: _operation(d, "createOrder")["requestBody"].update(required=True),
    "property of an answer removed": lambda d: _schema(d, "Product")["properties"].pop("origin"),
    "required property of an answer became optional": lambda d: _schema(d, "Product")["required"].remove("price"),
    "property of an answer of another type": lambda d: _schema(d, "Amount").update(type="string"),
    "property of an answer became nullable": lambda d: _schema(d, "Product")["properties"]["name"].update(
        nullable=True
    ),
    "success status replaced": lambda d: _operation(d, "createOrder")["responses"].update(
        {"202": _operation(d, "createOrder")["responses"].pop("201")}
    ),
    "media type replaced": lambda d: _answer(d, "getProduct", "200").update(
        content={"application/xml": _answer(d, "getProduct", "200")["content"]["application/json"]}
    ),
    "header of an answer removed": lambda d: _answer(d, "getProduct", "200")["headers"].pop("ETag"),
    "role raised": lambda d: _operation(d, "getProduct").update({"x-required-role": "customer"}),
    "permission added": lambda d: _operation(d, "getProduct").update({"x-permissions": ["write:orders"]}),
}

HARMLESS: dict[str, Mutate] = {
    "nothing": lambda d: None,
    "operation added": lambda d: d["paths"].update(
        {"/api/shops": {"get": {**_operation(d, "listProducts"), "operationId": "listShops"}}}
    ),
    "optional parameter added": lambda d: _operation(d, "getProduct")["parameters"].append(_OFFERED),
    "optional property of a request added": lambda d: _schema(d, "ProductCreate")["properties"].update(shop=_TEXT),
    "property of an answer added": lambda d: _schema(d, "Product")["properties"].update(shop=_TEXT),
    "bound of a request widened": lambda d: _schema(d, "ProductCreate")["properties"]["name"].update(maxLength=200),
    "value of an answer added to its enum": lambda d: _schema(d, "Country")["enum"].append("SE"),
    "required property of a request became optional": lambda d: _schema(d, "ProductCreate")["required"].remove("price"),
    "words changed": lambda d: _operation(d, "getProduct").update(description="A product.", summary="Read a product"),
    "example changed": lambda d: _schema(d, "Id").update(example="product-2"),
    "planned operation built": lambda d: (
        _operation(d, "createProduct").pop("x-status"),
        _operation(d, "createProduct")["responses"].pop("501"),
    ),
    "error answer added": lambda d: _operation(d, "getProduct")["responses"].update(
        {"409": {"$ref": "#/components/responses/Conflict"}}
    ),
    "operation deprecated": lambda d: _operation(d, "getProduct").update(
        {"deprecated": True, "x-deprecated-since": "2026-01-30", "x-sunset": "2099-06-30"}
    ),
    "role lowered": lambda d: _operation(d, "updateProduct").update({"x-required-role": "staff"}),
    "operation opened": lambda d: _operation(d, "createOrder").update(security=[]),
    "permission that the role has anyway": lambda d: _operation(d, "updateProduct").update(
        {"x-permissions": ["manage:catalog", "write:orders"]}
    ),
}


def _refused(base: Json, mutate: Mutate, listed: Collection[str] = ()) -> list[str]:
    revision = copy.deepcopy(base)
    mutate(revision)
    return [change.entry for change in diff.breaking(diff.changes(base, revision), base, revision, listed)]


@pytest.mark.usefixtures("_oasdiff")
@pytest.mark.parametrize("name", BREAKING)
def test_breaking_change_is_refused(base: Json, name: str) -> None:
    start = copy.deepcopy(base)
    if name == "body became required":
        _operation(start, "createOrder")["requestBody"].pop("required")
    if name == "property with a default became required":
        _schema(start, "ProductCreate")["properties"].update(featured={**_TEXT, "default": "no"})
    assert _refused(start, BREAKING[name])


@pytest.mark.usefixtures("_oasdiff")
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_change_passes(base: Json, name: str) -> None:
    assert _refused(base, HARMLESS[name]) == []


@pytest.mark.usefixtures("_oasdiff")
def test_building_what_was_planned_is_no_news(base: Json) -> None:
    revision = copy.deepcopy(base)
    HARMLESS["planned operation built"](revision)
    assert diff.changes(base, revision) == []


@pytest.mark.usefixtures("_oasdiff")
def test_new_major_version_allows_only_listed_breaks(base: Json) -> None:
    def mutate(document: Json) -> None:
        document["paths"].pop("/api/orders")
        BREAKING["role raised"](document)
        document["info"]["version"] = "2.0.0"

    both = _refused(base, mutate)
    assert len(both) == 2
    assert _refused(base, mutate, both[:1]) == both[1:]
    assert _refused(base, mutate, both) == []


@pytest.mark.usefixtures("_oasdiff")
def test_listed_break_still_needs_a_new_major_version(base: Json) -> None:
    refused = _refused(base, BREAKING["role raised"])
    assert _refused(base, BREAKING["role raised"], refused) == refused


@pytest.mark.usefixtures("_oasdiff")
def test_what_is_listed_and_no_break_is_named(base: Json) -> None:
    revision = copy.deepcopy(base)
    BREAKING["role raised"](revision)
    found = diff.changes(base, revision)
    entries = [change.entry for change in found]
    assert diff.unfounded(found, entries) == []
    assert diff.unfounded(found, [*entries, "GET /api/gone: gone [gone]"]) == ["GET /api/gone: gone [gone]"]


@pytest.mark.usefixtures("_oasdiff")
def test_deprecated_operation_may_go_after_its_sunset(base: Json) -> None:
    start = copy.deepcopy(base)
    _operation(start, "deleteProduct")["x-sunset"] = "2026-02-01"
    assert _refused(start, BREAKING["deprecated operation removed before its sunset"]) == []


def test_without_oasdiff_policy_is_still_compared(base: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise toolchain.ToolchainMissing("Node 20 or newer is not installed")

    monkeypatch.setattr(diff, "binary", missing)
    revision = copy.deepcopy(base)
    BREAKING["role raised"](revision)
    found, incomplete = diff.compare(base, revision)
    assert [change.check for change in found] == ["required-role-raised"]
    assert "Node 20" in incomplete
    assert diff.compare(base, base) == ([], "")


def test_unknown_platform_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(toolchain.ToolchainMissing, match="riscv64"):
        diff.binary()


def test_released_contract_is_a_bundle() -> None:
    released = load(diff.RELEASED)
    assert diff.RELEASED.read_text(encoding="utf-8") == dump(released)
    assert released["info"]["version"].split(".")[0] <= bundle_openapi(ROOT)["info"]["version"].split(".")[0]


@pytest.mark.usefixtures("_oasdiff")
def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    released = bundle_openapi(ROOT)
    _operation(released, "listProducts")["operationId"] = "findProducts"
    path = tmp_path / "openapi.yaml"
    path.write_text(dump(released), encoding="utf-8")
    monkeypatch.setattr(diff, "RELEASED", path)
    monkeypatch.setattr(diff, "BREAKS", tmp_path / "breaks.txt")
    monkeypatch.setattr("sys.argv", ["diff", "--release"])
    assert diff.main() == 1
    assert "breaking  GET /api/products" in capsys.readouterr().out
    path.unlink()
    assert diff.main() == 0
    assert path.read_text(encoding="utf-8") == dump(bundle_openapi(ROOT))


@pytest.mark.usefixtures("_oasdiff")
def test_release_makes_the_list_of_breaks_the_changelog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released, listed = tmp_path / "openapi.yaml", tmp_path / "breaks.txt"
    released.write_text(dump(bundle_openapi(ROOT)), encoding="utf-8")
    listed.write_text("A reason.\n  GET /api/gone: gone [gone]\n", encoding="utf-8")
    monkeypatch.setattr(diff, "RELEASED", released)
    monkeypatch.setattr(diff, "BREAKS", listed)
    monkeypatch.setattr("sys.argv", ["diff", "--release"])
    assert diff.main() == 1  # what is listed is no break
    listed.write_text("# none\n", encoding="utf-8")
    assert diff.main() == 0
    assert not listed.exists()
    version = bundle_openapi(ROOT)["info"]["version"]
    assert (tmp_path / f"changelog-{version}.txt").read_text(encoding="utf-8") == "# none\n"


def test_list_of_breaks_reads_reasons_and_breaks() -> None:
    text = "# comment\nTwo lines\nof a reason.\n  A: one [x]\n  B: two [y]\nAnother reason.\n  C: three [z]\n"
    assert read_breaks(text) == {
        "A: one [x]": "Two lines of a reason.",
        "B: two [y]": "Two lines of a reason.",
        "C: three [z]": "Another reason.",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  A: one [x]\n", "no reason"),
        ("Why.\n  A: one [x]\n\n  B: two [y]\n", "no reason"),
        ("Why.\n  A: one [x]\n  A: one [x]\n", "twice"),
        ("Why.\n\nAnother.\n  A: one [x]\n", "without a break"),
        ("Why.\n  A: one [x]\nNothing below.\n", "without a break"),
    ],
)
def test_faulty_list_of_breaks_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_breaks(text)


def test_what_does_not_break_is_counted_by_kind() -> None:
    found = [
        diff.Change("breaking", "GET /a", "gone", "x"),
        *[diff.Change("notable", f"GET /{n}", "new", "y") for n in "bc"],
    ]
    assert diff.shown(found, everything=False) == ["  breaking  GET /a: gone [x]", "  notable   2 times y"]
    assert len(diff.shown(found, everything=True)) == 3
