"""Operations with `server` in their `x-cache`: what makes two requests the same, and what is kept of an answer.

The same are two requests for one operation of one contract with the same parameters, however they are written: their
order, their encoding and what is left out because it is the default make no difference.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import orjson
from pydantic import BaseModel

from handlers.contract.reply import JSON, Reply
from handlers.platform.access import Principal
from handlers.platform.responses.kept import CacheRule, Made
from handlers.platform.responses.responses import Responses

X_CACHE: Final = b"x-cache"

Handle = Callable[[], Awaitable[Any]]


class CachedOperation:
    """One operation and its answers. `contract` tells one state of the document from all others."""

    __slots__ = ("_prefix", "_responses", "_rule")

    def __init__(self, rule: CacheRule, operation_id: str, contract: str, responses: Responses) -> None:
        self._rule = rule
        self._prefix = f"{contract} {operation_id} ".encode()
        self._responses = responses

    async def answer(self, parameters: Sequence[Any], principal: Principal, handle: Handle) -> Reply[Any]:
        """What the handler answers, or has answered; `X-Cache` says which."""

        async def make() -> Made:
            return _made(await handle())

        kept, state = await self._responses.answer(self._rule, self._key(parameters, principal), make)
        return Reply.raw(kept.content, Any, headers=[*kept.headers, (X_CACHE, state.encode("ascii"))])

    def _key(self, parameters: Sequence[Any], principal: Principal) -> bytes:
        content = orjson.dumps([*parameters], default=_plain)
        if not self._rule.private:
            return self._prefix + content
        return self._prefix + orjson.dumps([principal.role, principal.id]) + content


def _plain(value: Any) -> Any:
    """A JSON object in a parameter, without what was left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no value of a parameter")


def _made(answer: Any) -> Made:
    """What is kept of an answer. Raises `TypeError` for one that is no plain success in JSON."""
    if not isinstance(answer, Reply):
        return Made(orjson.dumps(answer))
    if answer.status not in (None, 200) or answer.stream is not None or answer.content_type != JSON:
        raise TypeError("only plain answers can be kept")
    content = answer.content if answer.content is not None else orjson.dumps(answer.body)
    changes_at = answer.changes_at.timestamp() if answer.changes_at is not None else None
    return Made(content, tuple(answer.headers), changes_at)
