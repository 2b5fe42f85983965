"""The way of a request through one operation: caller, limit, parameters, body, handler, answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from handlers.contract.body import ClientGone, check_media_type, has_free_form, parse_body, read_body
from handlers.contract.call import Call
from handlers.contract.parameters import Parameters
from handlers.contract.reply import Header, Reply
from handlers.contract.sending import send_answer
from handlers.platform.access import ANONYMOUS, Access, Principal, refusal
from handlers.platform.cache import CacheUnavailable
from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, fault, invalid, unauthorized, unavailable, unexpected
from handlers.platform.idempotency import Key, Replayed, digest_of
from handlers.platform.limits import LimitRule
from handlers.platform.request import RequestInfo
from handlers.platform.responses.kept import CacheRule
from handlers.platform.security_events import SecurityEvents
from handlers.platform.store.charges import begin
from handlers.platform.store.port import StoreUnavailable

if TYPE_CHECKING:
    from handlers.contract.runtime import Runtime

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Any]]
SAFE_METHODS: Final = frozenset({"get", "head", "options"})
CONTEXT: Final = "connexion_context"
# Of an operation whose schema does not need more; the same number is the generator's (infra/contract/body_limits.py).
MAX_BODY_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Body:
    """How an operation reads its body, of at most `max_bytes`."""

    model: type[BaseModel]
    required: bool = True
    min_properties: int = 0
    max_bytes: int = MAX_BODY_BYTES
    free_form: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "free_form", has_free_form(self.model))


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
    idempotent: bool = False
    priority: bool = False
    cache: CacheRule | None = None
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

    __slots__ = ("_cached", "_check", "_limit_key", "_max_bytes", "_personal", "_runtime", "_spec", "_unsafe")

    def __init__(self, spec: Operation, runtime: Runtime) -> None:
        self._spec = spec
        self._runtime = runtime
        self._unsafe = spec.method not in SAFE_METHODS
        # Answers that are kept for everybody are the same whoever asks.
        self._personal = self._unsafe or spec.access.role != "anonymous" or spec.cache is None or spec.cache.private
        self._limit_key = f"{spec.id}:" if spec.limit else ""
        self._max_bytes = min(runtime.max_body_bytes, spec.body.max_bytes if spec.body else MAX_BODY_BYTES)
        self._check = runtime.answer_check(spec.id)
        self._cached = runtime.cached(spec)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        info: RequestInfo = scope["hph"]
        info.operation_id = self._spec.id
        info.template = self._spec.path
        headers: list[Header] = list(self._spec.headers)
        try:
            await self._serve(scope, receive, send, info, headers)
        except Problem as problem:
            await self._refuse(send, problem, info, headers)
        except ClientGone:
            return
        except (StoreUnavailable, CacheUnavailable) as error:
            # The caller learns that it may try again; the operator, that the disk is full.
            told = {"operation_id": self._spec.id, "request_id": info.request_id, "reason": str(error)}
            log.warning("a store is away", extra=told)
            await self._refuse(send, unavailable(), info, headers)
        except Exception:
            if info.status:
                # Too late for an envelope: the edge logs it, and the server cuts the connection.
                raise
            log.exception("unexpected error", extra={"request_id": info.request_id})
            await self._refuse(send, unexpected(), info, headers)

    @staticmethod
    async def _refuse(send: Send, problem: Problem, info: RequestInfo, headers: list[Header]) -> None:
        """The envelope, with what the operation says on every answer but not what belonged to its success."""
        await send_problem(send, problem, info.request_id, [h for h in headers if h[0] in _ON_EVERY_ANSWER])

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, info: RequestInfo, headers: list[Header]
    ) -> None:
        spec, runtime = self._spec, self._runtime
        principal, rejected = caller(scope)
        info.principal_id = principal.id
        info.role = principal.role
        limits, limited = runtime.take_for_caller(self._limit_key, principal.id, info.address, spec.limit)
        headers.extend(limits)
        refused = limited or rejected or refusal(principal, spec.access)
        if refused is not None:
            self._tell_refused(refused, info)
            raise refused
        request_headers = scope["headers"]
        if self._unsafe and (principal.credential == "cookie" or spec.sets_cookies):
            self._check_page(principal, request_headers, info)
        if self._personal and principal.role != "anonymous":
            await runtime.check_version(principal, writes=self._unsafe)
        if runtime.forward is not None and runtime.forwards(spec.id):
            info.max_body_bytes = self._max_bytes
            info.priority = spec.priority
            # What the operation says on every answer, the service behind says already.
            await runtime.forward(scope, receive, with_headers(send, limits))
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
            if self._cached is not None:
                handler = partial(spec.handler, *arguments, call)
                answer = await self._cached.answer(arguments, principal, handler)
            elif spec.idempotent:
                answer = await self._once(spec.handler, arguments, call, scope["path"])
            else:
                answer = await spec.handler(*arguments, call)
            head = scope["method"] == "HEAD"
            await send_answer(receive, send, answer, spec.status, headers, head=head, check=self._check)
        finally:
            info.request_units = charges.units

    def _check_page(self, principal: Principal, headers: Sequence[tuple[bytes, bytes]], info: RequestInfo) -> None:
        """Raises `Problem` 403 when a page of another origin asks, or a cookie comes without its CSRF token."""
        try:
            self._runtime.csrf.check(principal, headers)
        except Problem as problem:
            self._tell_refused(problem, info)
            raise

    def _tell_refused(self, problem: Problem, info: RequestInfo) -> None:
        """A security event for who asks for what is not theirs, or by a forged credential. No token at all is none."""
        if problem.status == 403 or problem.rule == "token_invalid":
            events = self._runtime.services.room(SecurityEvents)
            events.record("access_refused", "failure", info, info.principal_id or "", problem.rule or "forbidden")

    async def _once(self, handler: Handler, arguments: list[Any], call: Call, target: str) -> Any:
        """Calls the handler of an operation with `x-idempotent`, or answers as it did before."""
        spec = self._spec
        value = call.header(b"idempotency-key")
        if value is not None:
            call.key = Key(spec.id, call.principal.id, value, digest_of(target, call.body_bytes))
        call.status = spec.status
        try:
            answer = await handler(*arguments, call)
        except Replayed as before:
            return Reply(before.body, status=before.status)
        except BaseException:  # a request that is cut off as well: its key must not stay taken
            await call.forget()
            raise
        await call.forget(unless_remembered=True)
        return answer

    async def _body(
        self, body: Body, receive: Receive, headers: Sequence[tuple[bytes, bytes]], call: Call
    ) -> BaseModel | None:
        content = await read_body(receive, headers, self._max_bytes)
        call.body_bytes = content
        if not content:
            if body.required:
                raise invalid([fault("body", "", "A JSON body is required")])
            return None
        check_media_type(headers)
        return parse_body(content, body.model, body.min_properties, free_form=body.free_form)


_ON_EVERY_ANSWER: Final = frozenset(
    {b"ratelimit-limit", b"ratelimit-remaining", b"ratelimit-reset", b"deprecation", b"sunset"}
)


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
