"""The cache against a real Valkey, up and down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.platform.cache import Cache, CacheUnavailable, Script
from handlers.platform.ids import new_id
from handlers.platform.telemetry import Telemetry
from infra.local.valkey import start
from tests.support.wait import eventually


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """The current second."""
        return self.seconds


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    """A cache at the session's Valkey."""
    cache = Cache(redis_url)
    yield cache
    await cache.close()


async def test_set_get_delete(cache: Cache) -> None:
    key = new_id("key")
    assert await cache.get(key) is None
    assert await cache.set(key, b"one", ttl=60) is True
    assert await cache.get(key) == b"one"
    assert await cache.set(key, b"two", ttl=60, only_new=True) is False
    assert await cache.delete(key) is True
    assert await cache.delete(key) is False
    assert await cache.set(key, 3, ttl=60, only_new=True) is True
    assert await cache.get(key) == b"3"


async def test_a_counter_keeps_the_end_of_its_first_addition(cache: Cache) -> None:
    key = new_id("key")
    assert await cache.incr(key, ttl=60) == 1
    assert await cache.incr(key, ttl=6000, by=4) == 5
    left = await cache.eval(Script("return redis.call('PTTL', KEYS[1])"), [key])
    assert 0 < left <= 60_000


async def test_values_end(cache: Cache) -> None:
    key = new_id("key")
    await cache.set(key, b"short", ttl=0.02)

    async def gone() -> bool:
        return await cache.get(key) is None

    await eventually(gone)


async def test_scripts_are_loaded_when_the_server_does_not_know_them(cache: Cache) -> None:
    script = Script(f"return {{KEYS[1], ARGV[1]}} -- {new_id('script')}")
    for _ in range(2):
        assert await cache.eval(script, ["a"], [1]) == [b"a", b"1"]


async def test_what_the_server_refuses_is_unavailable_and_opens_no_breaker(cache: Cache) -> None:
    key = new_id("key")
    await cache.set(key, b"text", ttl=60)
    with pytest.raises(CacheUnavailable):
        await cache.incr(key, ttl=60)
    assert await cache.get(key) == b"text"
    assert cache.failures == 1


async def test_without_an_address_every_call_says_so() -> None:
    with pytest.raises(CacheUnavailable, match="REDIS_URL"):
        await Cache(None).get("key")


async def test_a_dead_server_costs_one_attempt_a_second(tmp_path: Path) -> None:
    server = start(tmp_path)
    clock = Clock()
    cache = Cache(server.url, now=clock)
    await cache.set("key", b"value", ttl=60)
    server.stop()

    with pytest.raises(CacheUnavailable) as first:
        await cache.get("key")
    assert first.value.__cause__ is not None
    for _ in range(100):
        with pytest.raises(CacheUnavailable, match="away") as next_ones:
            await cache.get("key")
        assert next_ones.value.__cause__ is None
    clock.seconds += 1.01
    with pytest.raises(CacheUnavailable) as second:
        await cache.get("key")
    assert second.value.__cause__ is not None
    assert cache.failures == 102

    server = start(tmp_path)
    with pytest.raises(CacheUnavailable, match="away"):
        await cache.get("key")
    clock.seconds += 1.01
    assert await cache.get("key") is None
    assert await cache.set("key", b"value", ttl=60) is True
    await cache.close()
    server.stop()


async def test_while_it_is_tried_again_the_others_do_not_wait() -> None:
    # A listener that takes connections and never answers.
    silent = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    clock = Clock()
    cache = Cache(f"redis://127.0.0.1:{port}", now=clock)
    with pytest.raises(CacheUnavailable):
        await cache.get("key")
    clock.seconds += 1.01
    trial = asyncio.create_task(cache.get("key"))
    await asyncio.sleep(0)
    with pytest.raises(CacheUnavailable, match="away"):
        await cache.get("key")
    assert not trial.done()
    with pytest.raises(CacheUnavailable):
        await trial
    await cache.close()
    silent.close()


async def test_one_call_takes_no_longer_than_its_budget_whatever_is_slow() -> None:
    """A server that answers each step just in time: connecting, asking and the answer together are one budget."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            await asyncio.sleep(0.2)
            writer.write(b"+OK\r\n")

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cache = Cache(f"redis://:secret@127.0.0.1:{port}/3")
    started = time.monotonic()
    with pytest.raises(CacheUnavailable):
        await cache.get("key")
    assert time.monotonic() - started < 0.6
    await cache.close()
    server.close()


async def test_a_loop_that_was_held_up_is_no_fault_of_redis(cache: Cache) -> None:
    key = new_id("key")
    await cache.set(key, b"value", ttl=60)
    for _ in range(3):
        asking = asyncio.create_task(cache.get(key))
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - holds the loop up on purpose
        assert await asking == b"value"
    assert cache.failures == 0


async def test_many_at_once_share_the_pool(cache: Cache) -> None:
    key = new_id("key")
    results = await asyncio.gather(*(cache.incr(key, ttl=60) for _ in range(200)))
    assert sorted(results) == list(range(1, 201))


async def test_a_task_that_is_cancelled_ends(cache: Cache) -> None:
    script = Script("return 1")
    for steps in range(60):
        call = asyncio.create_task(cache.eval(script, []))
        for _ in range(steps % 12):
            await asyncio.sleep(0)
        asked = call.cancel()
        if asked:
            with pytest.raises(asyncio.CancelledError):
                await call


async def test_failures_are_in_the_metrics() -> None:
    telemetry = Telemetry()
    cache = Cache("redis://127.0.0.1:1")
    cache.expose(telemetry)
    with pytest.raises(CacheUnavailable):
        await cache.ping()
    assert b"hph_cache_failures_total 1.0" in telemetry.render()
