"""Connexion's error and security middlewares at no cost to a request that does not need them.

Connexion's own build request objects and wrap `send` twice for every request: 12 of 30 microseconds of the whole way of
a small answer through the application (Python 3.11).
"""

from __future__ import annotations

from typing import Any, Final

from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.security import SecurityAPI, SecurityMiddleware, SecurityOperation
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.contract.operation import CONTEXT
from handlers.platform.request import SCOPE_KEY

_FAILURE: Final = "hph_failure"
_CREDENTIALS: Final = frozenset({b"authorization", b"cookie"})


class Errors(ExceptionMiddleware):  # type: ignore[misc]  # connexion is untyped
    """Connexion's error handlers. They are set up once there is an error, by raising it again inside of them.

    What fails after the answer has begun is the edge's: nothing can be said any more.
    """

    def __init__(self, next_app: ASGIApp) -> None:
        super().__init__(_fail_again)
        self._next = next_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._next(scope, receive, send)
        except Exception as error:
            if scope[SCOPE_KEY].status:
                raise
            scope[_FAILURE] = error
            await super().__call__(scope, receive, send)


async def _fail_again(scope: Scope, receive: Receive, send: Send) -> None:
    raise scope[_FAILURE]


class _Carrier:
    """What a security handler sees of a request, and where Connexion puts what it found out."""

    __slots__ = ("context", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context: dict[str, Any] = scope["extensions"].setdefault(CONTEXT, {})


class _Operation(SecurityOperation):  # type: ignore[misc]  # connexion is untyped
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.security:
            for name, _ in scope["headers"]:
                if name in _CREDENTIALS:
                    await self.verification_fn(_Carrier(scope))
                    break
        await self.next_app(scope, receive, send)


class _Api(SecurityAPI):  # type: ignore[misc]  # connexion is untyped
    def make_operation(self, operation: Any) -> _Operation:
        made: _Operation = _Operation.from_operation(
            operation, next_app=self.next_app, security_handler_factory=self.security_handler_factory
        )
        return made


class Security(SecurityMiddleware):  # type: ignore[misc]  # connexion is untyped
    """Connexion's security, by the schemes of the document. Without credentials there is nothing to verify."""

    api_cls = _Api
