"""Operations with `server` in their `x-cache`: what makes two requests the same, and what is kept of an answer.

The same are two requests for one operation of one contract with the same parameters, however they are written: their
order, their encoding and what is left out because it is the default make no difference.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from operator import attrgetter
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

        key = self._key(parameters, principal)
        if self._responses.is_new(self._rule, key):
            return _passed(await handle())

        async def make() -> Made:
            return _made(await handle())

        kept, state = await self._responses.answer(self._rule, key, make)
        return Reply.raw(kept.content, Any, headers=[*kept.headers, (X_CACHE, state.encode("ascii"))])

    def _key(self, parameters: Sequence[Any], principal: Principal) -> bytes:
        content = orjson.dumps([_values(each) for each in parameters], default=_plain)
        if not self._rule.private:
            return self._prefix + content
        return self._prefix + orjson.dumps([principal.role, principal.id]) + content


_TAKE: dict[type[Any], Callable[[Any], Any]] = {}


def _values(parameters: Any) -> Any:
    """The values of an operation's parameters, out of their dataclass: faster than orjson would get them."""
    take = _TAKE.get(type(parameters))
    if take is None:
        take = _TAKE[type(parameters)] = attrgetter(*[field.name for field in fields(parameters)])
    return take(parameters)


def _plain(value: Any) -> Any:
    """A JSON object in a parameter, without what was left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no value of a parameter")


def _reply(answer: Any) -> Reply[Any]:
    """What a handler answered. Raises `TypeError` for anything but a plain success in JSON: that could not be kept."""
    if not isinstance(answer, Reply):
        return Reply(answer)
    if answer.status not in (None, 200) or answer.stream is not None or answer.content_type != JSON:
        raise TypeError("only plain answers can be kept")
    return answer


def _passed(answer: Any) -> Reply[Any]:
    """An answer that is not kept."""
    reply = _reply(answer)
    reply.headers.append((X_CACHE, b"MISS"))
    return reply


def _made(answer: Any) -> Made:
    """What is kept of an answer."""
    reply = _reply(answer)
    content = reply.content if reply.content is not None else orjson.dumps(reply.body)
    changes_at = reply.changes_at.timestamp() if reply.changes_at is not None else None
    return Made(content, tuple(reply.headers), changes_at)
