"""Rate limits: the bucket, several processes through a real Valkey, and without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.platform import limits as module
from handlers.platform.cache import Cache, Script
from handlers.platform.ids import new_id
from handlers.platform.limits import LimitRule, Limits, Verdict, network, site
from handlers.platform.telemetry import Telemetry
from infra.local.valkey import start
from tests.support.wait import eventually

RULE = LimitRule(per_minute=60, burst=5)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """The current second."""
        return self.seconds


def taken(limits: Limits, key: str, times: int, rule: LimitRule = RULE) -> int:
    """How many of so many requests were let through."""
    return sum(limits.take(key, rule).retry_after is None for _ in range(times))


def test_a_burst_then_a_steady_rate() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    assert limits.take("a", RULE) == Verdict(limit=5, remaining=4, reset=1, retry_after=None)
    assert taken(limits, "a", 10) == 4
    assert limits.take("a", RULE) == Verdict(limit=5, remaining=0, reset=5, retry_after=1)
    clock.seconds += 0.999
    assert taken(limits, "a", 1) == 0
    clock.seconds += 0.002
    assert taken(limits, "a", 2) == 1
    clock.seconds += 3600
    assert taken(limits, "a", 10) == 5
    assert (limits.allowed, limits.refused) == (11, 14)


def test_callers_do_not_share() -> None:
    limits = Limits(now=Clock())
    assert taken(limits, "a", 10) == 5
    assert taken(limits, "b", 10) == 5


def test_the_plans_default() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    rule = LimitRule(60, 100)
    assert taken(limits, "a", 150, rule) == 100
    clock.seconds += 60
    assert taken(limits, "a", 150, rule) == 60


def test_scale_multiplies_rate_and_burst() -> None:
    clock = Clock()
    limits = Limits(scale=10, now=clock)
    assert taken(limits, "a", 100) == 50
    clock.seconds += 1
    assert taken(limits, "a", 100) == 10
    assert taken(Limits(scale=0.001, now=clock), "a", 10) == 1


def test_retry_after_is_enough_and_not_a_second_too_much() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    rule = LimitRule(per_minute=10, burst=2)
    taken(limits, "a", 2, rule)
    verdict = limits.take("a", rule)
    assert verdict.retry_after == 6
    clock.seconds += 6
    assert limits.take("a", rule).retry_after is None


@given(st.lists(st.floats(min_value=0, max_value=20), max_size=80))
def test_never_more_than_burst_and_rate(pauses: list[float]) -> None:
    clock = Clock()
    limits = Limits(now=clock)
    began, allowed = clock.seconds, 0
    for pause in pauses:
        clock.seconds += pause
        verdict = limits.take("a", RULE)
        allowed += verdict.retry_after is None
        assert 0 <= verdict.remaining < verdict.limit
        assert allowed <= RULE.burst + (clock.seconds - began) * RULE.per_minute / 60 + 1e-3


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUCKETS", 100)
    limits = Limits(now=Clock())
    telemetry = Telemetry()
    limits.expose(telemetry)
    for number in range(1000):
        limits.take(f"caller-{number}", RULE)
    assert b"hph_limit_buckets 100.0" in telemetry.render()
    assert b'hph_limit_decisions_total{outcome="allowed"} 1000.0' in telemetry.render()


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    """A cache at the session's Valkey."""
    cache = Cache(redis_url)
    yield cache
    await cache.close()


async def test_processes_learn_of_each_other(cache: Cache) -> None:
    key, clock = new_id("caller"), Clock()
    rule = LimitRule(per_minute=1, burst=10)
    first, second = Limits(cache, now=clock), Limits(cache, now=clock)
    assert taken(first, key, 8, rule) == 8
    await first.sync()
    # The second has not seen this caller yet: its first request is let through, and its sync learns of the others.
    assert second.take(key, rule).remaining == 9
    await second.sync()
    assert second.take(key, rule).remaining == 0
    assert second.take(key, rule).retry_after is not None


async def test_what_was_taken_too_much_stays_as_debt(cache: Cache) -> None:
    key, clock = new_id("caller"), Clock()
    rule = LimitRule(per_minute=60, burst=10)
    processes = [Limits(cache, now=clock) for _ in range(3)]
    # Each gives a whole burst before it hears of the others: the bound.
    assert sum(taken(limits, key, 50, rule) for limits in processes) == 30
    for _ in range(2):
        for limits in processes:
            await limits.sync()
    # The last to sync knows of all 30: 20 of debt on top of an empty bucket.
    verdict = processes[-1].take(key, rule)
    assert verdict.retry_after is not None
    assert 19 <= verdict.retry_after <= 21


async def test_sync_charges_only_what_is_new(cache: Cache) -> None:
    key, clock = new_id("caller"), Clock()
    rule = LimitRule(per_minute=1, burst=10)
    limits = Limits(cache, now=clock)
    for expected in range(9, -1, -1):
        assert limits.take(key, rule).remaining == expected
        await limits.sync()
    assert limits.take(key, rule).retry_after is not None


async def test_many_callers_go_in_few_calls(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    original = cache.eval

    async def counted(script: object, keys: list[str], args: object = ()) -> object:
        calls.append(len(keys))
        return await original(script, keys, args)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "eval", counted)
    limits = Limits(cache, space=new_id("space"))
    for number in range(1200):
        limits.take(f"caller-{number}", RULE)
    await limits.sync()
    assert calls == [500, 500, 200]
    await limits.sync()
    assert len(calls) == 3


async def test_the_background_task_reconciles(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.01)
    key, rule = new_id("caller"), LimitRule(per_minute=1, burst=3)
    first, second = Limits(cache), Limits(cache)
    first.start()
    second.start()
    taken(first, key, 3, rule)
    await eventually(lambda: second.take(key, rule).retry_after is not None)
    await first.stop()
    await second.stop()
    await second.stop()


async def test_full_buckets_are_forgotten(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.001)
    clock = Clock()
    limits = Limits(cache, space=new_id("space"), now=clock)
    telemetry = Telemetry()
    limits.expose(telemetry)
    for number in range(10):
        limits.take(f"caller-{number}", RULE)
    await limits.sync()
    clock.seconds += 3600
    limits.start()
    await eventually(lambda: b"hph_limit_buckets 0.0" in telemetry.render())
    await limits.stop()


async def test_roles_keep_apart(cache: Cache) -> None:
    key = new_id("caller")
    gateway, crud = Limits(cache, space="gateway"), Limits(cache, space="crud")
    taken(gateway, key, 5)
    await gateway.sync()
    crud.take(key, RULE)
    await crud.sync()
    assert crud.take(key, RULE).remaining == 3


async def test_redis_away_fails_open_and_recovers(tmp_path: Path) -> None:
    server = start(tmp_path)
    moments = Clock()
    cache = Cache(server.url, now=moments)
    limits = Limits(cache, now=moments)
    rule = LimitRule(per_minute=60, burst=10)
    taken(limits, "a", 2, rule)
    await limits.sync()
    server.stop()

    assert taken(limits, "a", 20, rule) == 8
    await limits.sync()
    assert limits.sync_failures == 1
    for _ in range(60):
        moments.seconds += 1
        limits.take("a", rule)
        await limits.sync()
    assert limits.sync_failures == 61

    server = start(tmp_path)
    moments.seconds += 60
    taken(limits, "a", 4, rule)
    await limits.sync()
    # What could not be told during the outage is not charged afterwards.
    assert limits.take("a", rule).remaining == 5
    await cache.close()
    server.stop()


async def test_strict_is_exact_across_processes(cache: Cache) -> None:
    key, rule = f"login:{new_id('someone')}@example.com", LimitRule(per_minute=1, burst=5)
    processes = [Limits(cache) for _ in range(4)]
    verdicts = await asyncio.gather(*(limits.strict(key, rule) for limits in processes * 5))
    assert sum(verdict.retry_after is None for verdict in verdicts) == 5
    refused = await processes[0].strict(key, rule)
    assert refused.remaining == 0
    assert refused.retry_after is not None
    assert 0 < refused.retry_after <= 60
    await processes[1].forgive(key)
    assert (await processes[2].strict(key, rule)).remaining == 4


async def test_strict_keys_are_hashed(cache: Cache) -> None:
    address = f"{new_id('someone')}@example.com"
    await Limits(cache).strict(address, RULE)
    found = await cache.eval(Script("return redis.call('KEYS', '*')"), [])
    assert found
    assert not [name for name in found if address.encode() in name]


async def test_strict_counts_alone_without_redis() -> None:
    for cache in (None, Cache("redis://127.0.0.1:1")):
        limits = Limits(cache, now=Clock())
        verdicts = [await limits.strict("login:a", RULE) for _ in range(8)]
        assert [verdict.retry_after is None for verdict in verdicts] == [True] * 5 + [False] * 3
        await limits.forgive("login:a")
        assert (await limits.strict("login:a", RULE)).remaining == 4
        assert limits.sync_failures == (0 if cache is None else 9)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_is_one_network(address: str, expected: str) -> None:
    assert network(address) == expected


async def test_the_background_task_outlives_a_surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.001)
    limits = Limits()
    calls: list[int] = []

    async def surprised() -> None:
        calls.append(1)
        raise RuntimeError("surprise")

    monkeypatch.setattr(limits, "sync", surprised)
    limits.start()
    await eventually(lambda: len(calls) > 2)
    await limits.stop()


@pytest.mark.parametrize(
    ("address", "around"),
    [
        ("2001:db8:7:1::5", "2001:db8:7::/48"),
        ("2001:db8:7:ffff::5", "2001:db8:7::/48"),
        ("192.0.2.7", None),
        ("::ffff:192.0.2.7", None),
        ("nonsense:", None),
    ],
)
def test_a_site_is_the_48_around_an_address(address: str, around: str | None) -> None:
    assert site(address) == around
