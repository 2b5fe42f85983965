"""Names are the map (design, architecture): operation = function, tag = folder = room = tests, both ways."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import httpx
import pytest

from generated import routing
from generated.routing import OPERATIONS
from infra.contract.routing import snake
from tests.support.contract import Declared, document, operations

ROOT = Path(__file__).resolve().parents[2]
DECLARED = {operation.id: operation for operation in operations()}
BUILT = [operation for operation in DECLARED.values() if operation.built]
PLANNED = [operation for operation in DECLARED.values() if not operation.built]
ROOMS = sorted({operation.tag for operation in BUILT})


def handlers_of(room: str) -> set[str]:
    """The handlers in a room's `api.py`: its public coroutine functions, and what it publishes of its other modules."""
    api = importlib.import_module(f"handlers.{room}.api")
    published = set(getattr(api, "__all__", ()))
    return {
        name
        for name, found in vars(api).items()
        if inspect.iscoroutinefunction(found)
        and (name in published or (found.__module__ == api.__name__ and not name.startswith("_")))
    }


def test_an_operation_id_is_said_once() -> None:
    ids = [operation.id for operation in operations()]
    assert len(ids) == len(set(ids)) == len({snake(name) for name in ids})
    assert [operation.id for operation in OPERATIONS] == ids


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_handler_for_each_built_operation_and_no_other(room: str) -> None:
    expected = {snake(operation.id) for operation in BUILT if operation.tag == room}
    assert handlers_of(room) == expected


def test_no_handler_waits_for_an_operation() -> None:
    found = {path.parent.name for path in (ROOT / "handlers").glob("*/api.py")}
    assert found <= {operation.tag for operation in DECLARED.values()}
    for room in found - set(ROOMS):
        assert handlers_of(room) == set(), f"{room}: its operations are still planned"


@pytest.mark.parametrize("operation", DECLARED.values(), ids=DECLARED)
def test_the_table_of_operations_is_the_contract(operation: Declared) -> None:
    bound = getattr(routing, operation.id)
    assert (bound.id, bound.method, bound.path) == (operation.id, operation.method.lower(), operation.path)
    if not operation.built:
        assert bound.handler is None
        return
    api = importlib.import_module(f"handlers.{operation.tag}.api")
    assert bound.handler is getattr(api, snake(operation.id))


def test_tags_are_folders_of_paths() -> None:
    tags = [tag["name"] for tag in document()["tags"]]
    folders = sorted(path.name for path in (ROOT / "openapi" / "paths").iterdir() if path.is_dir())
    assert sorted(tags) == folders
    for operation in DECLARED.values():
        assert operation.content["tags"] == [operation.tag]
        assert (ROOT / "openapi" / "paths" / operation.tag / f"{snake(operation.id)}.yaml").is_file(), operation.id
    files = {path.stem for path in (ROOT / "openapi" / "paths").rglob("*.yaml")}
    assert files == {snake(name) for name in DECLARED}


@pytest.mark.parametrize("room", ROOMS)
def test_a_built_room_has_tests(room: str) -> None:
    folder = ROOT / "tests" / room
    assert list(folder.glob("test_*.py")), f"tests/{room} has no tests"


async def test_every_planned_operation_is_501(client: httpx.AsyncClient) -> None:
    for operation in PLANNED:
        if operation.may("nobody"):
            answer = await client.request(operation.method, operation.url())
            assert answer.status_code == 501, operation.id
            error = answer.json()["error"]
            assert (error["code"], error["details"]) == ("NOT_IMPLEMENTED", {"operation_id": operation.id})
            assert error["request_id"] == answer.headers["x-request-id"]
