"""Checks answers against the published document: in every test, and by setting (`CHECK_ANSWERS`).

Objects are closed for the check, so that a field which is not in the contract, such as a password hash, is an error
and not a leak (decision 54).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jsonschema_rs
import orjson

Json = dict[str, Any]


class AnswerMismatch(Exception):
    """An answer does not conform to the document. A defect of ours: 500, and never sent."""


class AnswerCheck:
    """Validators of every answer of the document, compiled at first use."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._components = {name: closed(schema) for name, schema in document["components"]["schemas"].items()}
        self._responses: dict[str, dict[int, Json]] = {}
        self._compiled: dict[tuple[str, int, str], jsonschema_rs.Draft7Validator | None] = {}
        for item in document["paths"].values():
            for operation in item.values():
                self._responses[operation["operationId"]] = {int(s): r for s, r in operation["responses"].items()}

    def of(self, operation_id: str) -> Callable[[int, bytes, bytes], None]:
        """The check of one operation: status, content type, body."""
        return partial(self.check, operation_id)

    def check(self, operation_id: str, status: int, content_type: bytes, content: bytes) -> None:
        """Raises `AnswerMismatch` when status, media type or body is not what the document says."""
        media_type = content_type.split(b";")[0].decode("ascii")
        validator = self._validator(operation_id, status, media_type)
        if validator is None:
            return
        errors = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(orjson.loads(content))]
        if errors:
            raise AnswerMismatch(f"{operation_id} {status}: " + "; ".join(errors[:5]))

    def _validator(self, operation_id: str, status: int, media_type: str) -> jsonschema_rs.Draft7Validator | None:
        key = (operation_id, status, media_type)
        if key not in self._compiled:
            self._compiled[key] = self._compile(*key)
        return self._compiled[key]

    def _compile(self, operation_id: str, status: int, media_type: str) -> jsonschema_rs.Draft7Validator | None:
        response = self._responses[operation_id].get(status)
        if response is None:
            raise AnswerMismatch(f"{operation_id}: status {status} is not in the document")
        if "$ref" in response:
            response = self._document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        content = response.get("content", {})
        if not content and not media_type:
            return None
        if media_type not in content:
            raise AnswerMismatch(f"{operation_id} {status}: {media_type} is not in the document")
        if media_type != "application/json":
            return None
        schema = {**closed(content[media_type]["schema"]), "components": {"schemas": self._components}}
        return jsonschema_rs.Draft7Validator(schema, validate_formats=True, formats={"decimal": _any})


def _any(_: object) -> bool:
    return True


def closed(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema, its objects closed unless they say that more may come."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    schema = {key: closed(value) for key, value in node.items() if key not in ("example", "nullable", "discriminator")}
    if "properties" in schema and isinstance(node["properties"], dict):
        schema["properties"] = {name: closed(value) for name, value in node["properties"].items()}
        schema.setdefault("additionalProperties", False)
    if node.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    return schema
