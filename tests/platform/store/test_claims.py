"""Unique values and look-ups over partitions, crashes included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generated.containers import CONTAINERS
from handlers.platform.store.claims import (
    CLAIMS,
    GRACE,
    ClaimTaken,
    claim,
    claimed,
    confirm,
    doubt,
    drop_lookup,
    get_lookup,
    key_of,
    owner_of,
    put_lookup,
    release,
)
from handlers.platform.store.port import DocumentStore, OutcomeUnknown, StoreUnavailable
from tests.platform.store.adapters import ADAPTERS, TestClock


@pytest.fixture
async def store(adapter: str, tmp_path: Path, clock: TestClock) -> AsyncIterator[DocumentStore]:
    """An empty store with the real containers."""
    opened = ADAPTERS[adapter](tmp_path, CONTAINERS, clock)
    yield opened
    await opened.close()


async def holds_nothing(owner: str) -> bool:
    """The owner's document was never written."""
    return False


async def holds_it(owner: str) -> bool:
    """The owner's document has the value."""
    return True


async def state(store: DocumentStore, value: str) -> str | None:
    """The state of an e-mail address's claim."""
    key = key_of("email", value)
    found = await store.read(CLAIMS, key, key)
    return None if found is None else str(found.data["state"])


async def test_one_of_many_gets_the_value(store: DocumentStore) -> None:
    async def attempt(owner: str) -> bool:
        try:
            await claim(store, "email", "a@example.com", owner)
        except ClaimTaken:
            return False
        return True

    owners = [f"user-{number}" for number in range(30)]
    won = await asyncio.gather(*map(attempt, owners))
    assert sum(won) == 1
    assert await owner_of(store, "email", "a@example.com") == owners[won.index(True)]


async def test_a_value_is_taken_per_kind(store: DocumentStore) -> None:
    await claim(store, "email", "x", "user-1")
    await claim(store, "slug", "x", "product-1")
    with pytest.raises(ClaimTaken) as refused:
        await claim(store, "email", "x", "user-2")
    assert refused.value.owner == "user-1"
    assert "x" not in str(refused.value).removeprefix("this email is taken")
    assert await owner_of(store, "email", "y") is None


async def test_claiming_and_confirming_again_is_fine(store: DocumentStore) -> None:
    for _ in range(2):
        await claim(store, "email", "x", "user-1")
        await confirm(store, "email", "x", "user-1")
    assert await state(store, "x") == "held"


async def test_only_the_owner_releases(store: DocumentStore) -> None:
    await claim(store, "email", "x", "user-1")
    await release(store, "email", "x", "user-2")
    assert await owner_of(store, "email", "x") == "user-1"
    await release(store, "email", "x", "user-1")
    await release(store, "email", "x", "user-1")
    assert await owner_of(store, "email", "x") is None
    with pytest.raises(ClaimTaken):
        await confirm(store, "email", "x", "user-1")


async def test_a_write_that_fails_releases(store: DocumentStore) -> None:
    with pytest.raises(ZeroDivisionError):
        async with claimed(store, "email", "x", "user-1"):
            raise ZeroDivisionError
    assert await owner_of(store, "email", "x") is None
    with pytest.raises(StoreUnavailable):
        async with claimed(store, "email", "x", "user-1"):
            raise StoreUnavailable
    assert await owner_of(store, "email", "x") is None


async def test_a_write_that_succeeds_confirms(store: DocumentStore) -> None:
    async with claimed(store, "email", "x", "user-1"):
        assert await state(store, "x") == "pending"
    assert await state(store, "x") == "held"


@pytest.mark.parametrize("unknown", [OutcomeUnknown(), asyncio.CancelledError()])
async def test_an_unknown_outcome_leaves_the_claim_pending(store: DocumentStore, unknown: BaseException) -> None:
    with pytest.raises(type(unknown)):
        async with claimed(store, "email", "x", "user-1"):
            raise unknown
    assert await state(store, "x") == "pending"


async def test_a_crashed_writers_claim_is_taken_over(store: DocumentStore, clock: TestClock) -> None:
    await claim(store, "email", "x", "crashed", clock=clock)
    clock.advance(GRACE.total_seconds())
    with pytest.raises(ClaimTaken):
        await claim(store, "email", "x", "user-2", clock=clock, holds=holds_nothing)
    clock.advance(1)
    with pytest.raises(ClaimTaken):
        await claim(store, "email", "x", "user-2", clock=clock)
    with pytest.raises(ClaimTaken):
        await claim(store, "email", "x", "user-2", clock=clock, holds=holds_it)
    await claim(store, "email", "x", "user-2", clock=clock, holds=holds_nothing)
    assert await owner_of(store, "email", "x") == "user-2"
    with pytest.raises(ClaimTaken):
        await confirm(store, "email", "x", "crashed")


async def test_a_held_claim_is_never_taken_over(store: DocumentStore, clock: TestClock) -> None:
    async with claimed(store, "email", "x", "user-1", clock=clock):
        pass
    clock.advance(10 * GRACE.total_seconds())
    with pytest.raises(ClaimTaken):
        await claim(store, "email", "x", "user-2", clock=clock, holds=holds_nothing)


async def test_one_of_many_takes_over(store: DocumentStore, clock: TestClock) -> None:
    await claim(store, "email", "x", "crashed", clock=clock)
    clock.advance(2 * GRACE.total_seconds())

    async def attempt(owner: str) -> bool:
        try:
            await claim(store, "email", "x", owner, clock=clock, holds=holds_nothing)
        except ClaimTaken:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(f"user-{number}") for number in range(20)))) == 1


async def test_a_slow_writer_learns_that_its_claim_is_gone(store: DocumentStore, clock: TestClock) -> None:
    async def slow_write() -> None:
        async with claimed(store, "email", "x", "slow", clock=clock):
            clock.advance(2 * GRACE.total_seconds())
            await claim(store, "email", "x", "quick", clock=clock, holds=holds_nothing)

    with pytest.raises(ClaimTaken):
        await slow_write()
    assert await owner_of(store, "email", "x") == "quick"


async def test_lookups(store: DocumentStore) -> None:
    assert await get_lookup(store, "order_id", "order-1") is None
    await put_lookup(store, "order_id", "order-1", {"user_id": "ann"})
    await put_lookup(store, "order_id", "order-1", {"user_id": "ben"})
    assert await get_lookup(store, "order_id", "order-1") == {"user_id": "ben"}
    await drop_lookup(store, "order_id", "order-1")
    await drop_lookup(store, "order_id", "order-1")
    assert await get_lookup(store, "order_id", "order-1") is None


def test_keys_are_ids_that_cosmos_takes_and_never_collide() -> None:
    values = ["a/b", "a\\b", "a?b", "a#b", "a%2fb", "a~2fb", "ab", "é", "\n", "x" * 200, "x" * 201, "x" * 202, "~~"]
    keys = [key_of("email", value) for value in values]
    assert len({*keys}) == len(values)
    assert all(len(key) < 255 and not {*key} & {*"/\\?#%"} and key.isascii() for key in keys)
    assert key_of("email", "ann+x@example.com") == "email:ann+x@example.com"


async def test_a_store_that_goes_away_leaves_the_claim_pending(store: DocumentStore) -> None:
    async with claimed(store, "email", "x", "user-1"):
        await store.close()


async def test_the_writes_own_error_is_the_one_that_counts(store: DocumentStore) -> None:
    async def failing_write() -> None:
        async with claimed(store, "email", "x", "user-1"):
            await store.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing_write()


async def test_a_value_given_up_in_a_crash_is_free_again(store: DocumentStore, clock: TestClock) -> None:
    async with claimed(store, "email", "old", "user-1", clock=clock):
        pass
    await doubt(store, "email", "old", "user-2", clock=clock)
    assert await state(store, "old") == "held"
    await doubt(store, "email", "old", "user-1", clock=clock)
    clock.advance(GRACE.total_seconds() + 1)
    await claim(store, "email", "old", "user-3", clock=clock, holds=holds_nothing)
    assert await owner_of(store, "email", "old") == "user-3"
