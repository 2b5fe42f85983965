"""What the peer's operations ask for: services, the caller by token, a token of its bucket, permissions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from handlers.contract.services import Services
from handlers.platform.access import ANONYMOUS, Access, Principal, Role, refusal
from handlers.platform.errors import rate_limited, unauthorized
from handlers.platform.request import RequestInfo
from handlers.platform.tokens import TokenRejected

_bearer = HTTPBearer(auto_error=False)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def services_of(request: Request) -> Services:
    """The services of the process."""
    services: Services = request.app.state.services
    return services


Deps = Annotated[Services, Depends(services_of)]


async def caller(request: Request, services: Deps, credentials: Bearer) -> Principal:
    """Who calls, by bearer token or cookie."""
    token = credentials.credentials if credentials is not None else request.cookies.get("hph_access")
    if not token:
        return ANONYMOUS
    try:
        principal = services.tokens.verify(token)
    except TokenRejected as rejected:
        raise unauthorized(rule=rejected.rule) from None
    return principal if credentials is not None else principal.by_cookie()


Caller = Annotated[Principal, Depends(caller)]


def limited(operation_id: str) -> Callable[..., Awaitable[RequestInfo]]:
    """A dependency that takes a token of the caller's bucket, and notes for the log what is called."""

    async def take(request: Request, response: Response, services: Deps, principal: Caller) -> RequestInfo:
        info: RequestInfo = request.scope["hph"]
        info.operation_id = operation_id
        info.principal_id, info.role = principal.id, principal.role
        verdict = services.limits.take(principal.id or info.address, request.app.state.rule)
        if verdict.retry_after is not None:
            raise rate_limited(verdict.retry_after)
        response.headers["ratelimit-limit"] = str(verdict.limit)
        response.headers["ratelimit-remaining"] = str(verdict.remaining)
        response.headers["ratelimit-reset"] = str(verdict.reset)
        return info

    return take


def permitted(role: Role, *permissions: str) -> Callable[..., Awaitable[Principal]]:
    """A dependency: a caller of a role with these permissions."""
    access = Access(role, frozenset(permissions))

    async def check(principal: Caller) -> Principal:
        refused = refusal(principal, access)
        if refused is not None:
            raise refused
        return principal

    return check
