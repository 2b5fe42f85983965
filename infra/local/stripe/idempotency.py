"""`Idempotency-Key`: the first answer is kept for 24 hours (reference: Idempotent requests)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import orjson

from infra.local.stripe.account import Account
from infra.local.stripe.wire import Json, Refusal, Request, Response

KEPT: Final = 24 * 3600
MAX_KEY: Final = 255
KIND: Final = "_idempotency"


class Idempotency:
    """The keys of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._running: set[str] = set()

    async def around(self, request: Request, operation: Callable[[], Awaitable[Response]]) -> Response:
        """Answers a POST, as it was answered before where its key is known. Raises `Refusal` for a key misused."""
        key = request.headers.get("idempotency-key")
        if key is None or request.method != "POST":
            return await operation()
        if len(key) > MAX_KEY:
            raise Refusal(400, "Idempotency-Key must be at most 255 characters", type="idempotency_error")
        if key in self._running:
            message = (
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again later."
            )
            raise Refusal(409, message, type="idempotency_error", code="idempotency_key_in_use")
        known = self._known(key)
        if known is not None:
            return _replayed(known, request, key)
        self._running.add(key)
        try:
            return await self._first(key, request, operation)
        finally:
            self._running.discard(key)

    def _known(self, key: str) -> Json | None:
        found = self._account.state.find(KIND, key)
        if found is not None and found["created"] + KEPT <= self._account.now():
            self._account.state.forget(KIND, key)
            return None
        return found

    async def _first(self, key: str, request: Request, operation: Callable[[], Awaitable[Response]]) -> Response:
        try:
            response = await operation()
        except Refusal as refusal:
            # Nothing is kept of a request that was refused before the operation began.
            if refusal.begun:
                self._keep(key, request, refusal.response())
            raise
        self._keep(key, request, response)
        return response

    def _keep(self, key: str, request: Request, response: Response) -> None:
        record = {
            "id": key,
            "object": KIND,
            "created": self._account.now(),
            "digest": _digest(request),
            "path": request.path,
            "status": response.status,
            "body": response.content.decode(),
        }
        self._account.state.put(record)


def _replayed(known: Json, request: Request, key: str) -> Response:
    if known["path"] != request.path:
        message = (
            f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{request.path}' vs '{known['path']}'). Try using a key other than '{key}' if you meant to execute a "
            "different request."
        )
        raise Refusal(400, message, type="idempotency_error")
    if known["digest"] != _digest(request):
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request."
        )
        raise Refusal(400, message, type="idempotency_error")
    return Response(known["status"], orjson.loads(known["body"]), {"idempotent-replayed": "true"})


def _digest(request: Request) -> str:
    return hashlib.sha256(orjson.dumps(request.params, option=orjson.OPT_SORT_KEYS)).hexdigest()
