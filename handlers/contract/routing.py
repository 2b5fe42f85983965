"""Routing on a trie: literal before template, 404 and 405 in the envelope, the complete `Allow`, `HEAD` and `OPTIONS`.

It takes the place of Connexion's routing middleware, whose router tries every route in document order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, fault, invalid, not_found
from handlers.platform.request import SCOPE_KEY, RequestInfo

Header = tuple[bytes, bytes]

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "PATCH")
# Where Connexion finds an operation by its operationId; it calls the operation by the full name then.
OPERATIONS_MODULE: Final = "generated.routing"

# Takes a request that no operation answers from its caller's limit: what to add to the answer, or why there is none.
Admit = Callable[[RequestInfo], tuple[Sequence[Header], Problem | None]]


class Route:
    """A path of the contract: its operations by method, its templates' names, and the answer to the other methods."""

    __slots__ = ("allow", "names", "operations")

    def __init__(self, path: str, operations: Mapping[str, str]) -> None:
        self.names = tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
        self.operations = dict(operations)
        if "GET" in self.operations:
            self.operations["HEAD"] = self.operations["GET"]
        self.allow = ", ".join([*self.operations, "OPTIONS"])


class _Node:
    __slots__ = ("literals", "route", "template")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.template: _Node | None = None
        self.route: Route | None = None


class Trie:
    """Paths of the contract by segment. A path without templates is one dict look-up."""

    def __init__(self, paths: Mapping[str, Mapping[str, str]]) -> None:
        self._root = _Node()
        self._literal: dict[str, Route] = {}
        for path, operations in paths.items():
            route = Route(path, operations)
            if "{" not in path:
                self._literal[path] = route
            self._insert(path, route)

    def _insert(self, path: str, route: Route) -> None:
        node = self._root
        for segment in path[1:].split("/"):
            if segment.startswith("{"):
                node.template = node.template or _Node()
                node = node.template
            else:
                node = node.literals.setdefault(segment, _Node())
        node.route = route

    def find(self, path: str, raw_path: bytes) -> tuple[Route, dict[str, str]] | None:
        """The route of a path with its path parameters, or None. An empty segment matches nothing.

        An encoded slash is part of its segment, so segments are decoded one by one (RFC 3986, 2.2). Raises `Problem`
        400 when they are no UTF-8 or hold NUL.
        """
        if b"%" in raw_path:
            segments = _decoded(raw_path)
        else:
            route = self._literal.get(path)
            if route is not None:
                return route, {}
            segments = path[1:].split("/")
        values: list[str] = []
        found = _match(self._root, segments, 0, values)
        return (found, dict(zip(found.names, values, strict=True))) if found is not None else None


def _match(node: _Node, segments: Sequence[str], at: int, values: list[str]) -> Route | None:
    """The route below a node, literals first. As deep as the trie at most, whatever the path."""
    if at == len(segments):
        return node.route
    segment = segments[at]
    following = node.literals.get(segment)
    if following is not None:
        found = _match(following, segments, at + 1, values)
        if found is not None:
            return found
    if node.template is None or not segment:
        return None
    values.append(segment)
    found = _match(node.template, segments, at + 1, values)
    if found is None:
        values.pop()
    return found


def _decoded(raw_path: bytes) -> list[str]:
    try:
        segments = [unquote_to_bytes(segment).decode("utf-8") for segment in raw_path[1:].split(b"/")]
    except UnicodeDecodeError:
        raise invalid([fault("path", "", "Input should be UTF-8")]) from None
    if any("\x00" in segment for segment in segments):
        raise invalid([fault("path", "", "Input should not contain NUL")])
    return segments


class TrieRouting(SpecMiddleware):  # type: ignore[misc]  # connexion is untyped
    """Connexion's routing middleware on a `Trie`: names the operation in the scope, or answers 404, 405 and OPTIONS."""

    def __init__(self, app: ASGIApp, admit: Admit, module: str) -> None:
        self.app = app
        self._admit = admit
        self._module = module
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
                name = f"{self._module}.{operation_id}"
                self._contexts[operation_id] = {"api_base_path": base_path, "operation_id": name}
        self._trie = Trie(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            found = self._trie.find(scope["path"], scope["raw_path"])
        except Problem as problem:
            await self._refuse(scope, send, problem)
            return
        if found is None:
            await self._refuse(scope, send, not_found("Path"))
            return
        route, values = found
        operation_id = route.operations.get(scope["method"])
        if operation_id is None:
            await self._other_method(scope, route, send)
            return
        scope["path_params"] = values
        scope.setdefault("extensions", {})[ROUTING_CONTEXT] = self._contexts[operation_id]
        await self.app(scope, receive, send)

    async def _refuse(self, scope: Scope, send: Send, problem: Problem) -> None:
        info: RequestInfo = scope[SCOPE_KEY]
        headers, limited = self._admit(info)
        await send_problem(send, limited or problem, info.request_id, headers)

    async def _other_method(self, scope: Scope, route: Route, send: Send) -> None:
        allow = (b"allow", route.allow.encode("ascii"))
        if scope["method"] != "OPTIONS":
            details = {"allow": route.allow}
            problem = Problem("METHOD_NOT_ALLOWED", "Method not allowed", details=details, headers=(allow,))
            await self._refuse(scope, send, problem)
            return
        info: RequestInfo = scope[SCOPE_KEY]
        headers, limited = self._admit(info)
        if limited is not None:
            await send_problem(send, limited, info.request_id, headers)
            return
        await send({"type": "http.response.start", "status": 204, "headers": [allow, *headers]})
        await send({"type": "http.response.body"})
