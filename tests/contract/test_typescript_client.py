"""The TypeScript client: strict types, its session against a made-up server, and a shopper against the real one."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from infra.contract import toolchain, typescript
from infra.contract.bundle import Json, bundle_openapi
from tests.contract.typescript.runner import CLIENT, check_types, run_scenario, run_script
from tests.support.app import ORIGIN, RunningApp
from tests.support.server import served


@pytest.fixture(scope="module")
def document() -> Json:
    """The contract."""
    return bundle_openapi()


@pytest.fixture(scope="module")
def _node() -> None:
    toolchain.node()  # without it the tests below fail and say what is missing
    toolchain.install(CLIENT)


@pytest.mark.usefixtures("_node")
def test_client_and_its_use_are_strictly_typed() -> None:
    assert check_types() == ""


@pytest.fixture(scope="module")
def session(_node: None) -> dict[str, Any]:
    """What `session.ts` saw."""
    return run_script("session")


def test_bearer_session_refreshes_once_and_repeats_every_call(session: dict[str, Any]) -> None:
    first, again = session["bearer"][1:4], session["bearer"][5:8]
    assert session["bearer"][4] == 'POST /api/auth/refresh | {"refresh_token":"refresh-1"}'
    assert len(session["bearer"]) == 8
    assert sorted(again) == sorted(call.replace("access-1", "access-2") for call in first)
    assert 'PUT /api/users/me | Bearer access-2 | {"name":"Dana"}' in again


def test_cookie_session_sends_the_csrf_token_with_writes_only(session: dict[str, Any]) -> None:
    assert session["cookie"].count("POST /api/auth/refresh | {}") == 1
    assert session["cookie"].count("GET /api/users/me") == 2
    writes = [call for call in session["cookie"] if call.startswith("PUT")]
    assert writes == ['PUT /api/users/me | csrf-1 | {"name":"Dana"}', 'PUT /api/users/me | csrf-2 | {"name":"Dana"}']


def test_session_that_is_over_is_told_once(session: dict[str, Any]) -> None:
    calls = ["GET /api/users/me", "POST /api/auth/refresh | {}"]
    assert session["over"] == {"calls": calls, "told": 1, "rule": "token_expired"}


def test_callers_own_token_is_never_refreshed(session: dict[str, Any]) -> None:
    assert session["own"] == ["GET /api/users/me | Bearer mine"]


def test_guest_session_of_the_first_cart_write_is_kept(session: dict[str, Any]) -> None:
    assert [call for call in session["guest"] if "item-2" in call] == [
        "DELETE /api/cart/items/item-2 | Bearer access-7",
        "DELETE /api/cart/items/item-2 | csrf-7",
    ]


def test_answers_become_data_or_errors(session: dict[str, Any]) -> None:
    assert session["proxy"] == [503, None, "HTTP 503", 7]
    assert session["hooks"] == [{"name": "Dana"}, "token_expired"]
    assert session["query"] == "q=a+b&filters=%7B%22brand%22%3A%5B%22Apple%22%5D%7D&tag=x&tag=y"


@pytest.mark.usefixtures("_node")
async def test_shopper_in_a_browser(running: RunningApp) -> None:
    async with served(running.app) as address:
        seen = await asyncio.to_thread(run_scenario, address, ORIGIN)
    assert seen == {
        "signed_up": True,
        "taken": "email_taken",
        "wrong": 401,
        "logged_in": True,
        "me": True,
        "renamed": "Dana W.",
        "products": 0,
        "missing": {"status": 404, "code": "RESOURCE_NOT_FOUND", "request_id": True},
        "refreshed": True,
        "after": 401,
        "signed_out": 1,
    }


def test_every_json_operation_has_a_hook(document: Json) -> None:
    hooks = re.findall(r"use(\w+): (?:query|mutation)\(", typescript.render_hooks(document))
    ids = {o["operationId"] for item in document["paths"].values() for o in item.values()}
    streams = {"streamOrderEvents", "exportSalesReport", "getMetrics"}
    assert {name[0].lower() + name[1:] for name in hooks} == ids - streams


def test_every_schema_has_a_model(document: Json) -> None:
    models = re.findall(r'Schemas\["(\w+)"\]', typescript.render_models(document))
    assert models == list(document["components"]["schemas"])


def test_client_is_of_the_version_of_the_contract(document: Json) -> None:
    package = (CLIENT / "package.json").read_text(encoding="utf-8")
    assert f'"version": "{document["info"]["version"]}"' in package


def test_lock_files_name_no_host() -> None:
    for folder in (toolchain.FOLDER, typescript.FRAME, CLIENT):
        lock = (folder / "package-lock.json").read_text(encoding="utf-8")
        assert '"resolved"' not in lock
        assert '"integrity"' in lock


def test_without_node_the_types_stay(document: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "schema.ts").write_text("old", encoding="utf-8")
    typescript.write_typescript(CLIENT.parent / "openapi.yaml", tmp_path)
    assert (tmp_path / "src" / "schema.ts").read_text(encoding="utf-8") == "old"
    assert (tmp_path / "src" / "hooks.ts").is_file()
