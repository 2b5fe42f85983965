"""One operation with kept answers, apart from an application: keys, principals, contracts, what may be kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest

from generated import params as p
from handlers.contract.caching import CachedOperation
from handlers.contract.reply import Reply
from handlers.platform.access import Principal, Role
from handlers.platform.background import Background
from handlers.platform.cache import Cache
from handlers.platform.responses.kept import CacheRule
from handlers.platform.responses.responses import SEEN, Responses
from tests.support.app import MovableClock

Json = dict[str, Any]


@pytest.fixture
async def cached(redis_url: str) -> AsyncIterator[Callable[..., CachedOperation]]:
    """Operations with a cache, apart from an application."""
    cache, background = Cache(redis_url), Background()
    responses = Responses(cache, background, MovableClock())
    mark = uuid4().hex

    def make(contract: str = "one", **options: Any) -> CachedOperation:
        return CachedOperation(CacheRule(60, **options), "getSales", f"{contract} {mark}", responses)

    yield make
    await background.drain()
    await responses.close()
    await cache.close()


def principal(name: str, role: Role = "staff") -> Principal:
    """Somebody."""
    return Principal(name, role, frozenset(), session_id="session-1")


async def asked(operation: CachedOperation, who: Principal, parameters: Sequence[Any] = ()) -> tuple[Any, str]:
    """What somebody gets from an operation that answers with the name of the one who asks."""

    async def handle() -> Json:
        return {"name": who.id}

    reply = await operation.answer(parameters, who, handle)
    return reply.content, dict(reply.headers)[b"x-cache"].decode()


async def test_private_answers_are_for_one_principal(cached: Callable[..., CachedOperation]) -> None:
    for operation in (cached(private=True), cached("shared no", private=True, shared=False)):
        for _ in range(2):
            await asked(operation, principal("user-1"))
        assert await asked(operation, principal("user-1")) == (b'{"name":"user-1"}', "HIT")
        assert (await asked(operation, principal("user-2")))[1] == "MISS"
        assert (await asked(operation, principal("user-1", "admin")))[1] == "MISS"


async def test_what_is_cheap_to_make_is_kept_from_the_second_time_on(cached: Callable[..., CachedOperation]) -> None:
    cheap, who = cached(shared=False), principal("user-1")

    async def state(category: str) -> str:
        return (await asked(cheap, who, [p.ListProductsParameters(category=category)]))[1]

    assert [await state("toys") for _ in range(3)] == ["MISS", "MISS", "HIT"]
    # A walk through everything pushes nothing out, and leaves nothing behind.
    assert {await state(f"category-{number}") for number in range(SEEN)} == {"MISS"}
    assert await state("toys") == "HIT"
    assert [await state("category-0") for _ in range(2)] == ["MISS", "MISS"]


async def test_another_contract_has_answers_of_its_own(cached: Callable[..., CachedOperation]) -> None:
    states = [(await asked(cached(contract), principal("user-1")))[1] for contract in ("one", "one", "two")]
    assert states == ["MISS", "HIT", "MISS"]


async def test_all_kinds_of_parameters_make_a_key(cached: Callable[..., CachedOperation]) -> None:
    operation, who = cached(), principal("user-1")
    params = [p.ListProductsParameters(category=name) for name in ("toys", "toys", "home")]
    assert [(await asked(operation, who, [each]))[1] for each in params] == ["MISS", "HIT", "MISS"]
    with pytest.raises(TypeError):
        await asked(operation, who, [object()])


async def test_only_plain_answers_are_kept(cached: Callable[..., CachedOperation]) -> None:
    async def accepted() -> Reply[Json]:
        return Reply({}, status=202)

    with pytest.raises(TypeError, match="plain"):
        await cached("odd").answer((), principal("user-1"), accepted)
