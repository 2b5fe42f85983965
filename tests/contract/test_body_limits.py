"""The limit of a body is what its schema can need, never less than 64 KiB; a larger one is refused unread."""

from __future__ import annotations

from typing import Any

import pytest

from generated.routing import OPERATIONS
from infra.contract.body_limits import body_limit, most_bytes
from tests.support.app import RunningApp

TEXT = {"type": "string", "maxLength": 10}


def document_of(**schemas: Any) -> Any:
    return {"components": {"schemas": schemas}}


@pytest.mark.parametrize(
    ("schema", "bytes_"),
    [
        (TEXT, 62),
        ({"type": "string"}, None),
        ({"type": "string", "format": "date"}, 62),
        ({"type": "string", "enum": ["a", "long"]}, 6),
        ({"type": "boolean"}, 5),
        ({"type": "array", "items": TEXT, "maxItems": 3}, 191),
        ({"type": "array", "items": TEXT}, None),
        ({"type": "object", "additionalProperties": False, "properties": {"ab": TEXT}}, 70),
        ({"type": "object", "properties": {"ab": TEXT}}, None),
        ({"type": "object", "additionalProperties": False, "properties": {"ab": {"type": "string"}}}, None),
        ({"type": "object", "additionalProperties": TEXT, "maxProperties": 2}, 1334),
        ({"type": "object", "additionalProperties": TEXT}, None),
        ({"oneOf": [TEXT, {"type": "boolean"}]}, 62),
        ({"anyOf": [TEXT, {}]}, None),
        ({"allOf": [{"$ref": "#/components/schemas/Text"}, TEXT]}, 124),
        ({"$ref": "#/components/schemas/Tree"}, None),
    ],
)
def test_the_longest_json_of_a_schema(schema: Any, bytes_: int | None) -> None:
    tree = {"type": "array", "maxItems": 2, "items": {"$ref": "#/components/schemas/Tree"}}
    assert most_bytes(document_of(Text=TEXT, Tree=tree), schema) == bytes_


@pytest.mark.parametrize(("length", "limit"), [(10, 65_536), (20_000, 120_832), (None, 65_536)])
def test_a_limit_is_in_whole_kib_and_no_less_than_the_default(length: int | None, limit: int) -> None:
    schema = {"type": "string", **({"maxLength": length} if length else {})}
    operation: Any = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    assert body_limit(document_of(), operation) == limit
    assert body_limit(document_of(), {**operation, "x-body-limit": 7}) == 7


def test_few_operations_take_more_than_64_kib() -> None:
    larger = {operation.id for operation in OPERATIONS if operation.body and operation.body.max_bytes > 65_536}
    assert larger == {
        *("createProduct", "updateProduct", "createReview", "updateReview"),
        *("createMyReturn", "createReturn", "receiveStripeWebhook"),
    }


async def test_a_body_larger_than_its_operation_needs_is_413(running: RunningApp) -> None:
    headers = {"Content-Type": "application/json"}
    large = b'{"email":"' + b"x" * 70_000 + b'"}'
    answer = await running.client.post("/api/auth/login", content=large, headers=headers)
    assert (answer.status_code, answer.json()["error"]["details"]) == (413, {"limit_bytes": 65_536})
    # The order of refusals: the caller's right to ask comes first.
    answer = await running.client.post("/api/admin/products", content=large * 2, headers=headers)
    assert answer.status_code == 401
