"""The way of a request through one operation: caller, limit, parameters, body, handler, answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from handlers.contract.body import ClientGone, check_media_type, parse_body, read_body
from handlers.contract.call import Call
from handlers.contract.parameters import Parameters
from handlers.contract.reply import Header, Reply
from handlers.platform.access import ANONYMOUS, Access, Principal, refusal
from handlers.platform.cache import CacheUnavailable
from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, fault, invalid, rate_limited, unauthorized, unavailable
from handlers.platform.limits import LimitRule, Verdict
from handlers.platform.request import RequestInfo
from handlers.platform.store.charges import begin
from handlers.platform.store.port import StoreUnavailable

if TYPE_CHECKING:
    from handlers.contract.runtime import Runtime

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Any]]
SAFE_METHODS: Final = frozenset({"get", "head", "options"})
CONTEXT: Final = "connexion_context"


@dataclass(frozen=True, slots=True)
class Body:
    """How an operation reads its body."""

    model: type[BaseModel]
    required: bool = True
    min_properties: int = 0


@dataclass(slots=True)
class Operation:
    """One operation of the contract with its handler, as `generated.routing` declares it.

    Connexion resolves the operationId to it and calls what `bind` answers. `handler` is None while the operation is
    planned: it answers 501.
    """

    id: str
    method: str
    path: str
    access: Access
    handler: Handler | None = None
    status: int = 200
    parameters: Parameters | None = None
    body: Body | None = None
    limit: LimitRule | None = None
    headers: Sequence[Header] = ()
    sets_cookies: bool = False
    __name__: str = field(init=False)

    def __post_init__(self) -> None:
        self.__name__ = self.id

    async def __call__(self, *_: Any, **__: Any) -> None:
        """Connexion looks for a function here; requests go to what `bind` answers."""
        raise TypeError(f"operation {self.id} is not bound to a runtime")

    def bind(self, runtime: Runtime) -> BoundOperation:
        """The operation as an ASGI application of this process."""
        return BoundOperation(self, runtime)


class BoundOperation:
    """An ASGI application that serves one operation."""

    __slots__ = ("_limit_key", "_runtime", "_spec", "_unsafe", "_validate")

    def __init__(self, spec: Operation, runtime: Runtime) -> None:
        self._spec = spec
        self._runtime = runtime
        self._unsafe = spec.method not in SAFE_METHODS
        self._limit_key = f"{spec.id}:" if spec.limit else ""
        self._validate = runtime.answer_check(spec.id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        info: RequestInfo = scope["hph"]
        info.operation_id = self._spec.id
        info.template = self._spec.path
        headers: list[Header] = list(self._spec.headers)
        try:
            await self._serve(scope, receive, send, info, headers)
        except Problem as problem:
            await send_problem(send, problem, info.request_id, [h for h in headers if h[0] not in _SUCCESS_ONLY])
        except (StoreUnavailable, CacheUnavailable):
            log.warning("a store is away", extra={"operation_id": self._spec.id, "request_id": info.request_id})
            await send_problem(send, unavailable(), info.request_id, [h for h in headers if h[0] not in _SUCCESS_ONLY])
        except ClientGone:
            return

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, info: RequestInfo, headers: list[Header]
    ) -> None:
        spec, runtime = self._spec, self._runtime
        principal, rejected = caller(scope)
        info.principal_id = principal.id
        info.role = principal.role
        self._take(principal.id or info.address, headers)
        if rejected is not None:
            raise rejected
        refused = refusal(principal, spec.access)
        if refused is not None:
            raise refused
        request_headers = scope["headers"]
        if self._unsafe and (principal.credential == "cookie" or spec.sets_cookies):
            runtime.csrf.check(principal, request_headers)
        if spec.access.role in _VERSIONED:
            await runtime.check_version(principal)
        if runtime.forward is not None and runtime.forwards(spec.id):
            await runtime.forward(scope, receive, with_headers(send, headers))
            return
        if spec.handler is None:
            raise Problem("NOT_IMPLEMENTED", "Not implemented yet", details={"operation_id": spec.id})
        call = Call(runtime.services, principal, info, request_headers)
        arguments: list[Any] = []
        if spec.parameters is not None:
            arguments.append(spec.parameters.parse(scope["path_params"], scope["query_string"], request_headers))
        elif scope["query_string"]:
            refuse_query(scope["query_string"])
        if spec.body is not None:
            arguments.append(await self._body(spec.body, receive, request_headers, call))
        charges = begin()
        try:
            answer = await spec.handler(*arguments, call)
        finally:
            info.request_units = charges.units
        await self._answer(scope["method"] == "HEAD", send, answer, headers)

    def _take(self, caller_key: str, headers: list[Header]) -> None:
        runtime = self._runtime
        verdict = runtime.limits.take(self._limit_key + caller_key, self._spec.limit or runtime.default_limit)
        headers.extend(limit_headers(verdict))
        if verdict.retry_after is not None:
            raise rate_limited(verdict.retry_after)

    async def _body(
        self, body: Body, receive: Receive, headers: Sequence[tuple[bytes, bytes]], call: Call
    ) -> BaseModel | None:
        content = await read_body(receive, headers, self._runtime.max_body_bytes)
        call.body_bytes = content
        if not content:
            if body.required:
                raise invalid([fault("body", "", "A JSON body is required")])
            return None
        check_media_type(headers)
        return parse_body(content, body.model, body.min_properties)

    async def _answer(self, head: bool, send: Send, answer: Any, headers: list[Header]) -> None:
        status = self._spec.status
        content: bytes | None = None
        content_type = b"application/json"
        if isinstance(answer, Reply):
            headers.extend(answer.headers)
            status = answer.status or status
            content_type = answer.content_type
            if answer.stream is not None:
                await self._stream(send, status, answer, headers)
                return
            content = answer.content
            answer = answer.body
        if status == 204:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body"})
            return
        if content is None:
            content = orjson.dumps(answer)
        if self._validate is not None:
            self._validate(status, content_type, content)
        headers.append((b"content-type", content_type))
        headers.append((b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else content})

    @staticmethod
    async def _stream(send: Send, status: int, answer: Reply[Any], headers: list[Header]) -> None:
        assert answer.stream is not None  # noqa: S101 - the caller has looked
        headers.append((b"content-type", answer.content_type))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        async for chunk in answer.stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})


_VERSIONED: Final = frozenset({"staff", "admin"})
_SUCCESS_ONLY: Final = frozenset({b"cache-control", b"etag"})


def caller(scope: Scope) -> tuple[Principal, Problem | None]:
    """The caller as Connexion's security middleware left it, and the refusal when its credential is bad."""
    context = scope.get("extensions", {}).get(CONTEXT)
    token_info = context.get("token_info") if context else None
    if not token_info:
        return ANONYMOUS, None
    rejected = token_info.get("rejected")
    if rejected is not None:
        return ANONYMOUS, unauthorized(rule=rejected)
    return token_info["principal"], None


def limit_headers(verdict: Verdict) -> tuple[Header, Header, Header]:
    """`RateLimit-*` of an answer (draft-ietf-httpapi-ratelimit-headers-03, three fields)."""
    return (
        (b"ratelimit-limit", b"%d" % verdict.limit),
        (b"ratelimit-remaining", b"%d" % verdict.remaining),
        (b"ratelimit-reset", b"%d" % verdict.reset),
    )


def refuse_query(query: bytes) -> None:
    """Raises `Problem` 400 naming the parameters given to an operation that has none."""
    names = {pair.split(b"=", 1)[0].decode("latin-1")[:64] for pair in query.split(b"&") if pair}
    if names:
        raise invalid([fault("query", name, "Unknown parameter") for name in sorted(names)])


def with_headers(send: Send, headers: Sequence[Header]) -> Send:
    """A `send` that adds headers to the answer that passes through it."""

    async def adding(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return adding
