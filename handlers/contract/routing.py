"""Routing on a trie: literal before template, 404 and 405 in the envelope, the complete `Allow`, `HEAD` and `OPTIONS`.

It takes the place of Connexion's routing middleware, whose router tries every route in document order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, not_found

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "PATCH")
# Where Connexion finds an operation by its operationId; it calls the operation by the full name then.
OPERATIONS_MODULE: Final = "generated.routing"


class Route:
    """A path of the contract: its operations by method, and the answer to the other methods."""

    __slots__ = ("allow", "operations")

    def __init__(self, operations: Mapping[str, str]) -> None:
        self.operations = dict(operations)
        if "GET" in self.operations:
            self.operations["HEAD"] = self.operations["GET"]
        self.allow = ", ".join([*self.operations, "OPTIONS"])


class _Node:
    __slots__ = ("literals", "name", "route", "template")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.template: _Node | None = None
        self.name = ""
        self.route: Route | None = None


class Trie:
    """Paths of the contract by segment. A path without templates is one dict look-up."""

    def __init__(self, paths: Mapping[str, Mapping[str, str]]) -> None:
        self._root = _Node()
        self._literal: dict[str, Route] = {}
        for path, operations in paths.items():
            route = Route(operations)
            if "{" in path:
                self._insert(path, route)
            else:
                self._literal[path] = route
                self._insert(path, route)

    def _insert(self, path: str, route: Route) -> None:
        node = self._root
        for segment in path.strip("/").split("/"):
            if segment.startswith("{"):
                node.template = node.template or _Node()
                node = node.template
                node.name = segment[1:-1]
            else:
                node = node.literals.setdefault(segment, _Node())
        node.route = route

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a decoded path with its path parameters, or None. An empty segment matches nothing."""
        route = self._literal.get(path)
        if route is not None:
            return route, {}
        values: dict[str, str] = {}
        node = self._root
        for segment in path[1:].split("/"):
            following = node.literals.get(segment)
            if following is None:
                following = node.template
                if following is None or not segment:
                    return None
                values[following.name] = segment
            node = following
        return (node.route, values) if node.route is not None else None


class TrieRouting(SpecMiddleware):  # type: ignore[misc]  # connexion is untyped
    """Connexion's routing middleware on a `Trie`: names the operation in the scope, or answers 404, 405 and OPTIONS."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._trie = Trie({})
        self._contexts: dict[str, dict[str, str]] = {}

    def add_api(self, specification: Any, **_: Any) -> None:
        """Registers the paths of the (one) document."""
        paths: dict[str, dict[str, str]] = {}
        base_path = specification.base_path
        for path, item in specification["paths"].items():
            operations = {m: item[m.lower()]["operationId"] for m in METHODS if m.lower() in item}
            paths[path] = operations
            for operation_id in operations.values():
                name = f"{OPERATIONS_MODULE}.{operation_id}"
                self._contexts[operation_id] = {"api_base_path": base_path, "operation_id": name}
        self._trie = Trie(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        found = self._trie.find(scope["path"])
        if found is None:
            await send_problem(send, not_found("Path"), scope["hph"].request_id)
            return
        route, values = found
        operation_id = route.operations.get(scope["method"])
        if operation_id is None:
            await _other_method(scope["method"], route, send, scope["hph"].request_id)
            return
        scope["path_params"] = values
        scope.setdefault("extensions", {})[ROUTING_CONTEXT] = self._contexts[operation_id]
        await self.app(scope, receive, send)


async def _other_method(method: str, route: Route, send: Send, request_id: str) -> None:
    allow = (b"allow", route.allow.encode("ascii"))
    if method == "OPTIONS":
        await send({"type": "http.response.start", "status": 204, "headers": [allow]})
        await send({"type": "http.response.body"})
        return
    problem = Problem("METHOD_NOT_ALLOWED", "Method not allowed", details={"allow": route.allow}, headers=(allow,))
    await send_problem(send, problem, request_id)
