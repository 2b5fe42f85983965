"""The running contract: what every bound operation shares, and Connexion around it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import orjson
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.resolver import RelativeResolver
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.contract.answers import AnswerCheck
from handlers.contract.caching import CachedOperation
from handlers.contract.middlewares import Errors, Security
from handlers.contract.operation import BoundOperation, Operation
from handlers.contract.reply import Header
from handlers.contract.routing import OPERATIONS_MODULE, TrieRouting
from handlers.contract.security import Credentials
from handlers.contract.services import Services
from handlers.platform.access import Principal
from handlers.platform.csrf import CsrfGuard
from handlers.platform.envelope import problem_body
from handlers.platform.errors import Problem, rate_limited, unauthorized, unexpected
from handlers.platform.limits import LimitRule, Limits, Verdict, network, site, wider
from handlers.platform.request import RequestInfo

log = logging.getLogger(__name__)

Json = dict[str, Any]
Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


class VersionCheck(Protocol):
    """Compares a token with its account."""

    async def __call__(self, principal: Principal, *, writes: bool) -> None:
        """Raises `Problem` 401 when the account has changed since, or is gone."""
        ...


async def trusted(principal: Principal, *, writes: bool) -> None:
    """Stands in for the version check where there are no users to compare with (the gateway)."""


@dataclass(slots=True)
class Runtime:
    """What the operations of one process share.

    `contract` tells the document that is served from all others (`connexion_app` sets it).
    """

    limits: Limits
    csrf: CsrfGuard
    default_limit: LimitRule
    max_body_bytes: int
    services: Services
    answers: AnswerCheck | None = None
    check_version: VersionCheck = trusted
    forward: ASGIApp | None = None
    kept: frozenset[str] = field(default_factory=frozenset)
    contract: str = ""

    def answer_check(self, operation_id: str) -> Callable[[int, bytes, bytes], None] | None:
        """The check of an operation's answers, when it is switched on."""
        return self.answers.of(operation_id) if self.answers is not None else None

    def cached(self, spec: Operation) -> CachedOperation | None:
        """The kept answers of an operation, when the contract lets it have some."""
        return CachedOperation(spec.cache, spec.id, self.contract, self.services.responses) if spec.cache else None

    def take(self, key: str, rule: LimitRule | None) -> tuple[Sequence[Header], Problem | None]:
        """Takes a request from a limit: `RateLimit-*` of its answer, and the refusal when there is nothing left."""
        verdict = self.limits.take(key, rule or self.default_limit)
        refused = rate_limited(verdict.retry_after) if verdict.retry_after is not None else None
        return limit_headers(verdict), refused

    def take_for_address(
        self, prefix: str, address: str, rule: LimitRule | None
    ) -> tuple[Sequence[Header], Problem | None]:
        """`take` for a caller who is known by the address alone: IPv6 by its /64 and, wider, its /48."""
        around = site(address)
        if around is not None:
            verdict = self.limits.take(f"{prefix}{around}", wider(rule or self.default_limit))
            if verdict.retry_after is not None:
                return limit_headers(verdict), rate_limited(verdict.retry_after)
        return self.take(prefix + network(address), rule)

    def take_for_caller(
        self, prefix: str, caller: str | None, address: str, rule: LimitRule | None
    ) -> tuple[Sequence[Header], Problem | None]:
        """`take` for a caller by id, or by address when there is none."""
        return self.take(prefix + caller, rule) if caller else self.take_for_address(prefix, address, rule)

    def admit(self, info: RequestInfo) -> tuple[Sequence[Header], Problem | None]:
        """`take` for a request that no operation answers (404, 405, OPTIONS): by the caller's address."""
        return self.take_for_address("", info.address, None)

    def forwards(self, operation_id: str) -> bool:
        """Whether the gateway passes this operation on (all but those it keeps)."""
        return operation_id not in self.kept


def limit_headers(verdict: Verdict) -> tuple[Header, Header, Header]:
    """`RateLimit-*` of an answer (draft-ietf-httpapi-ratelimit-headers-03, three fields)."""
    return (
        (b"ratelimit-limit", b"%d" % verdict.limit),
        (b"ratelimit-remaining", b"%d" % verdict.remaining),
        (b"ratelimit-reset", b"%d" % verdict.reset),
    )


def connexion_app(
    document: Json, runtime: Runtime, credentials: Credentials, lifespan: Lifespan, module: str = OPERATIONS_MODULE
) -> ASGIApp:
    """The contract as an ASGI application: Connexion's routing context, security and errors around our operations.

    `module` is where the generated operations are. Arranged as in design/facts/connexion.md: only the middlewares that
    are needed, our own trie in place of the router.
    The edge around it is the last resort, in the place of Connexion's `ServerErrorMiddleware`.
    """

    check_complete(document, module)
    runtime.contract = hashlib.sha256(orjson.dumps(document)).hexdigest()[:16]

    def routing(app: ASGIApp) -> TrieRouting:
        return TrieRouting(app, runtime.admit, module)

    middleware = ConnexionMiddleware(
        _terminal(runtime),
        resolver=RelativeResolver(module),
        lifespan=lifespan,
        middlewares=[LifespanMiddleware, Errors, routing, Security],
        security_map=credentials.security_map(),
    )
    middleware.add_api(_served(document))
    for failure in (Exception, Problem):
        middleware.add_error_handler(failure, _on_error)
    return middleware  # type: ignore[no-any-return]  # connexion is untyped


def check_complete(document: Json, module: str) -> None:
    """Imports the generated operations; what is wrong with them ends the start.

    Connexion would leave out an operation that it cannot resolve, and every call of it would be a 500.
    """
    operations = import_module(module)
    named = {o["operationId"] for item in document["paths"].values() for o in item.values()}
    missing = sorted(name for name in named if not isinstance(getattr(operations, name, None), Operation))
    if missing:
        raise RuntimeError(f"{module} has no operation {', '.join(missing)}: run `make generate`")


def _served(document: Json) -> Json:
    """The document for Connexion, which shall read credentials and leave refusing to the operations.

    They refuse after the rate limit was asked, with the envelope and the headers of every answer.
    """
    paths = {
        path: {
            method: {**operation, "security": [*operation["security"], {}] if operation["security"] else []}
            for method, operation in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _terminal(runtime: Runtime) -> ASGIApp:
    class Api(RoutedAPI[BoundOperation]):  # type: ignore[misc]  # connexion is untyped
        """Binds each operation of the document to the runtime."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.add_paths()

        def make_operation(self, operation: Any) -> BoundOperation:
            """The bound operation behind an operationId."""
            spec: Operation = operation.function
            return spec.bind(runtime)

    class Terminal(RoutedMiddleware[Api]):  # type: ignore[misc]  # connexion is untyped
        """The innermost application: hands each request to its operation."""

        api_cls = Api

        def __init__(self) -> None:
            super().__init__(_nothing_behind)

    return Terminal()


async def _nothing_behind(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(f"no operation behind {scope.get('path')}")


async def _on_error(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
    """Everything that was raised outside an operation's own handling, in the envelope."""
    request_id = request.scope["hph"].request_id
    problem = _as_problem(error)
    if problem.status >= 500:
        log.error("unexpected error", exc_info=error, extra={"request_id": request_id})
    headers = {key.decode(): value.decode() for key, value in (*problem.headers, (b"cache-control", b"no-store"))}
    return ConnexionResponse(
        status_code=problem.status,
        mimetype="application/json",
        content_type="application/json",
        headers=headers,
        body=problem_body(problem, request_id),
    )


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if getattr(error, "status_code", None) == 401:
        return unauthorized()
    return unexpected()


@asynccontextmanager
async def no_lifespan(_: Any) -> AsyncIterator[None]:
    """For applications whose services live elsewhere (tests)."""
    yield
