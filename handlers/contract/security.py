"""Credentials of a request, read once: bearer before cookie, and what a bad one means (decisions 47 and 58)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from connexion.security import NO_VALUE as CONNEXION_NO_VALUE
from connexion.security import AbstractSecurityHandler

from handlers.contract.call import parse_cookies
from handlers.platform import cookies
from handlers.platform.access import Principal
from handlers.platform.tokens import TokenRejected

NO_VALUE: object = CONNEXION_NO_VALUE
TokenInfo = dict[str, Any]


class Verifier(Protocol):
    """Turns an access token into the caller."""

    def verify(self, token: str) -> Principal:
        """The caller. Raises `TokenRejected` with the reason."""
        ...


class Credentials:
    """Reads the credentials of a request for Connexion's security middleware.

    A bearer token, when there is one, decides alone: a bad one is 401 even on a public operation. A bad cookie means
    anonymous, so that a stale cookie never locks a visitor out of the shop window.
    """

    def __init__(self, verifier: Verifier, *, secure: bool = False) -> None:
        self._verifier = verifier
        self._cookie = cookies.cookie_name(cookies.ACCESS, secure=secure)

    def bearer(self, scope: dict[str, Any]) -> TokenInfo | object:
        """Caller or refusal for an `Authorization` header; NO_VALUE without one."""
        for key, value in scope["headers"]:
            if key == b"authorization":
                return self._bearer_value(value)
        return NO_VALUE

    def _bearer_value(self, value: bytes) -> TokenInfo:
        scheme, _, token = value.partition(b" ")
        if scheme.lower() != b"bearer":
            return {"rejected": "token_invalid"}
        try:
            principal = self._verifier.verify(token.strip().decode("ascii"))
        except UnicodeDecodeError:
            return {"rejected": "token_invalid"}
        except TokenRejected as rejected:
            return {"rejected": rejected.rule}
        return {"principal": principal}

    def cookie(self, scope: dict[str, Any]) -> TokenInfo | object:
        """The caller of an access cookie; NO_VALUE without one, or with a bad one."""
        token = parse_cookies(scope["headers"]).get(self._cookie)
        if not token:
            return NO_VALUE
        try:
            principal = self._verifier.verify(token)
        except TokenRejected:
            return NO_VALUE
        return {"principal": principal.by_cookie()}

    def security_map(self) -> dict[str, type[AbstractSecurityHandler]]:
        """Connexion's `security_map`: one handler class for each scheme of the contract."""
        return {"bearer": _handler(self.bearer), "apiKey": _handler(self.cookie)}


def _handler(read: Callable[[dict[str, Any]], TokenInfo | object]) -> type[AbstractSecurityHandler]:
    class Handler(AbstractSecurityHandler):  # type: ignore[misc]  # connexion is untyped
        """Calls `read` with the scope of the request."""

        def get_fn(self, *_: Any) -> Callable[[Any], TokenInfo | object | Awaitable[TokenInfo]]:
            """The verification function of a scheme, whatever its definition."""
            return lambda request: read(request.scope)

    return Handler
