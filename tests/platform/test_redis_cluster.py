"""Cluster mode against three real Valkey masters: the same behaviour, slots on their way, a server that is gone."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from redis.crc import key_slot

from handlers.platform.cache import Cache, CacheUnavailable, Script
from handlers.platform.ids import new_id
from handlers.platform.limits import Limits
from handlers.platform.redis_cluster import slot_of
from handlers.platform.responses.kept import CacheRule
from tests.auth import test_sessions
from tests.platform import test_cache, test_limits
from tests.platform.test_cache import Clock
from tests.platform.test_responses import SOON, Process
from tests.support.app import MovableClock, running_app
from tests.support.certificates import write_certificate
from tests.support.valkey_cluster import SLOTS, ValkeyCluster, ValkeyNode, running_cluster
from tests.support.wait import eventually

_SET_BOTH = Script("redis.call('SET', KEYS[1], ARGV[1]) redis.call('SET', KEYS[2], ARGV[1]) return ARGV[1]")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster]:
    """One cluster for this file."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
async def cache(cluster: ValkeyCluster) -> AsyncIterator[Cache]:
    """A cache at the cluster."""
    cache = Cache(cluster.url, cluster=True)
    await cache.ping()  # so that no call of a test has to find the servers out of its 250 ms on a busy machine
    yield cache
    await cache.close()


def keys_on(cluster: ValkeyCluster, node: int, count: int = 1) -> list[str]:
    """Keys that are kept by one of the masters."""
    found: list[str] = []
    while len(found) < count:
        key = new_id("key")
        if cluster.owner(key_slot(key.encode())) is cluster.nodes[node]:
            found.append(key)
    return found


@pytest.mark.parametrize(
    "behaviour",
    [
        test_cache.test_set_get_delete,
        test_cache.test_a_counter_keeps_the_end_of_its_first_addition,
        test_cache.test_values_end,
        test_cache.test_scripts_are_loaded_when_the_server_does_not_know_them,
        test_cache.test_what_the_server_refuses_is_unavailable_and_opens_no_breaker,
        test_cache.test_many_at_once_share_the_pool,
        test_cache.test_a_task_that_is_cancelled_ends,
        test_cache.test_a_loop_that_was_held_up_is_no_fault_of_redis,
        test_limits.test_processes_learn_of_each_other,
    ],
)
async def test_a_cluster_behaves_as_one_server(cache: Cache, behaviour: Callable[[Cache], Awaitable[None]]) -> None:
    await behaviour(cache)


async def test_refresh_families_live_in_a_cluster(cluster: ValkeyCluster, tmp_path: Path) -> None:
    async with running_app(tmp_path, cluster.url, REDIS_CLUSTER="true") as running:
        await test_sessions.test_refresh_goes_on_with_the_session(running)
        await test_sessions.test_two_tabs_get_the_same_successor_within_ten_seconds(running)
        await test_sessions.test_reuse_after_the_grace_ends_the_family(running)
        await test_sessions.test_a_grandparent_token_ends_the_family_at_once(running)
        await test_sessions.test_logout_works_with_an_expired_access_token_and_ends_all_successors(running)
        assert running.services.cache.failures == 0
        await running.services.cache.ping()


async def test_limits_of_many_callers_are_one_script(cache: Cache) -> None:
    first, second = Limits(cache, now=Clock()), Limits(cache, now=Clock())
    callers = [new_id("caller") for _ in range(200)]
    for caller in callers:
        first.take(caller, test_limits.RULE)
    await first.sync()
    assert (first.sync_failures, cache.failures) == (0, 0)
    assert (await second.strict(callers[0], test_limits.RULE)).retry_after is None


async def test_answers_are_shared_and_renewed_by_all_processes(cluster: ValkeyCluster) -> None:
    rule = CacheRule(seconds=60, of=(new_id("kind"), new_id("kind")))
    stored, clock = ["first"], MovableClock()
    one, two = (Process(stored, Cache(cluster.url, cluster=True), clock, rule) for _ in range(2))
    assert await one.ask() == ("first", "MISS")
    assert await two.ask() == ("first", "HIT")
    one.write("second")

    async def renewed() -> bool:
        return (await two.ask())[0] == "second"

    await eventually(renewed, SOON)
    assert (one.cache.failures, two.cache.failures) == (0, 0)
    for process in (one, two):
        await process.stop()


async def test_keys_are_spread_over_all_servers(cache: Cache, cluster: ValkeyCluster) -> None:
    for node in range(3):
        for key in keys_on(cluster, node, 5):
            assert await cache.set(key, b"value", ttl=60)
            assert cluster.nodes[node].say("GET", key) == b"value"
    await cache.ping()


async def test_keys_of_one_script_share_a_slot(cache: Cache) -> None:
    assert slot_of(["hph:{limits}:a", "hph:{limits}:b"]) == slot_of(["{limits}"])
    with pytest.raises(ValueError, match="hash tag"):
        await cache.eval(_SET_BOTH, ["a", "b"], [1])


async def test_a_slot_on_its_way_is_served_all_the_time(cache: Cache, cluster: ValkeyCluster) -> None:
    """ASK while it moves, MOVED afterwards; with twenty calls at once, so that many connections are open."""
    tag = keys_on(cluster, 0)[0]
    slot, source, target = key_slot(tag.encode()), cluster.nodes[0], cluster.nodes[1]
    keys = [f"{{{tag}}}:{number}" for number in range(40)]
    await asyncio.gather(*(cache.set(key, key, ttl=600) for key in keys))

    async def all_there(word: str) -> None:
        assert await asyncio.gather(*(cache.get(key) for key in keys)) == [key.encode() for key in keys]
        new = [f"{{{tag}}}:{word}:{number}" for number in range(20)]
        assert await asyncio.gather(*(cache.incr(key, ttl=600) for key in new)) == [1] * 20
        assert await asyncio.gather(*(cache.incr(key, ttl=600) for key in new)) == [2] * 20

    cluster.begin_move(slot, source, target)
    await all_there("begun")
    source.say("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys[:20])
    await all_there("half")
    assert target.say("CLUSTER", "COUNTKEYSINSLOT", slot) >= 60
    cluster.move_keys(slot, source, target)
    await all_there("moved")
    cluster.end_move(slot, source, target)
    await all_there("ended")
    assert cache.failures == 0
    cluster.begin_move(slot, target, source)
    cluster.move_keys(slot, target, source)
    cluster.end_move(slot, target, source)


async def test_a_script_waits_for_keys_that_are_half_moved(cache: Cache, cluster: ValkeyCluster) -> None:
    tag = keys_on(cluster, 0)[0]
    slot, source, target = key_slot(tag.encode()), cluster.nodes[0], cluster.nodes[2]
    keys = [f"{{{tag}}}:a", f"{{{tag}}}:b"]
    assert await cache.eval(_SET_BOTH, keys, ["old"]) == b"old"
    cluster.begin_move(slot, source, target)
    source.say("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000)
    call = asyncio.create_task(cache.eval(_SET_BOTH, keys, ["new"]))
    await asyncio.sleep(0.05)
    assert not call.done()
    cluster.move_keys(slot, source, target)
    assert await call == b"new"
    cluster.end_move(slot, source, target)
    assert [await cache.get(key) for key in keys] == [b"new", b"new"]
    cluster.begin_move(slot, target, source)
    cluster.move_keys(slot, target, source)
    cluster.end_move(slot, target, source)


async def test_a_server_without_cluster_mode_says_so(redis_url: str) -> None:
    clock = Clock()
    cache = Cache(redis_url, cluster=True, now=clock)
    with pytest.raises(CacheUnavailable, match="cluster support disabled"):
        await cache.get("key")
    with pytest.raises(CacheUnavailable, match="away"):
        await cache.get("key")
    clock.seconds += 1.01
    with pytest.raises(CacheUnavailable, match="cluster support disabled"):
        await cache.get("key")
    await cache.close()


async def test_no_server_at_all_costs_one_attempt_a_second() -> None:
    silent = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    clock = Clock()
    cache = Cache(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}", cluster=True, now=clock)
    started = time.monotonic()
    with pytest.raises(CacheUnavailable):
        await cache.get("key")
    assert time.monotonic() - started < 0.9
    await asyncio.sleep(0.05)
    clock.seconds += 1.01
    trial = asyncio.create_task(cache.get("key"))
    await asyncio.sleep(0.01)
    started = time.monotonic()
    for _ in range(100):
        with pytest.raises(CacheUnavailable, match="away"):
            await cache.get("key")
    assert time.monotonic() - started < 5  # 250 ms each otherwise
    with pytest.raises(CacheUnavailable):
        await trial
    await cache.close()
    silent.close()


async def test_a_killed_server_takes_only_its_own_keys_along_until_another_has_its_slots(tmp_path: Path) -> None:
    with running_cluster(tmp_path) as cluster:
        cache = Cache(cluster.url, cluster=True)
        kept = keys_on(cluster, 1, 20) + keys_on(cluster, 2, 20)
        lost = keys_on(cluster, 0, 20)  # of the server that REDIS_URL names
        await asyncio.gather(*(cache.set(key, key, ttl=60) for key in kept + lost))
        dead, heir, other = cluster.nodes
        dead.freeze()  # worse than killed at first: it takes what is sent and never answers

        started = time.monotonic()
        for key in lost:
            with pytest.raises(CacheUnavailable):
                await cache.get(key)
        assert time.monotonic() - started < 3  # one attempt of 250 ms, the others at once
        assert await asyncio.gather(*(cache.get(key) for key in kept)) == [key.encode() for key in kept]
        with pytest.raises(CacheUnavailable):
            await cache.ping()
        dead.stop()

        for node in (heir, other):
            node.say("CLUSTER", "FORGET", dead.node_id)
        heir.say("CLUSTER", "ADDSLOTSRANGE", 0, heir.first - 1)
        ValkeyNode.wait(lambda: b"cluster_slots_assigned:%d" % SLOTS in other.say("CLUSTER", "INFO"))

        async def served() -> bool:
            try:
                return await cache.set(lost[0], b"again", ttl=60)
            except CacheUnavailable:
                return False

        await eventually(served, 5)
        assert await cache.get(lost[0]) == b"again"
        assert [await cache.get(key) for key in lost[1:]] == [None] * 19
        await cache.ping()
        await cache.close()


@asynccontextmanager
async def tls_in_front_of(node: ValkeyNode, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port that speaks TLS and passes everything on to a master, whose build has no TLS."""
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass  # either side has gone, which ends both
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_node = await asyncio.open_connection("127.0.0.1", node.port)
        for pair in ((reader, to_node[1]), (to_node[0], writer)):
            tasks.add(asyncio.create_task(copy(*pair)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_servers_told_by_ip_address_prove_the_name_in_redis_url(cluster: ValkeyCluster, tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(tls_in_front_of(node, context)) for node in cluster.nodes]
        for node, port in zip(cluster.nodes, ports, strict=True):
            node.say("CONFIG", "SET", "cluster-announce-port", port)
            stack.callback(node.say, "CONFIG", "SET", "cluster-announce-port", 0)

        def told() -> bool:
            return all({row[2][1] for row in node.say("CLUSTER", "SLOTS")} == set(ports) for node in cluster.nodes)

        await asyncio.to_thread(ValkeyNode.wait, told)
        cache = Cache(f"rediss://localhost:{ports[0]}?ssl_ca_certs={certificate}", cluster=True)
        for number in range(3):
            for name in keys_on(cluster, number, 2):
                assert await cache.set(name, b"value", ttl=60)
        await cache.close()
        by_number = Cache(f"rediss://127.0.0.1:{ports[0]}?ssl_ca_certs={certificate}", cluster=True)
        with pytest.raises(CacheUnavailable, match=r"[Cc]ertificate|CERTIFICATE"):
            await by_number.get("key")
        await by_number.close()
