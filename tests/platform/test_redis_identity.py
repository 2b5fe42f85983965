"""Login to a real Valkey by tokens, renewed while in use. The identity alone is a stand-in: no Entra ID exists here."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from redis.asyncio import Redis

from handlers.parts import open_redis_identity
from handlers.platform.cache import Cache, CacheUnavailable
from handlers.platform.redis_identity import SCOPE, RedisIdentity
from infra.local.valkey import start
from tests.platform.test_cache import Clock
from tests.support.app import settings_for
from tests.support.valkey_cluster import free_port, running_cluster
from tests.support.wait import eventually

NAME = "0b5c8a52-1d0f-4f5e-9d3a-5d2c1e7f6a90"
HOUR = 3600.0


class Identity:
    """The shape of azure.core's `AsyncTokenCredential`: gives the token of the day, counts, may fail or take long."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.token = jwt("one")
        self.asked = 0
        self.closed = 0
        self.error: Exception | None = None
        self.takes = 0.0

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token for an hour."""
        assert scopes == (SCOPE,)
        self.asked += 1
        await asyncio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        return AccessToken(self.token, int(self.clock() + HOUR))

    async def close(self) -> None:
        """Counts."""
        self.closed += 1

    async def __aenter__(self) -> Identity:
        """As the protocol has it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """As the protocol has it."""
        await self.close()


def jwt(word: str, **claims: str) -> str:
    """A token in the form of a JWT, which names the object id."""
    parts = ({"alg": "none"}, {"oid": NAME, "word": word} | claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return f"{head}.{body}.c2lnbmF0dXJl"


class House:
    """A Valkey that only lets in who has the token of the day, and a process that uses it."""

    def __init__(self, url: str, admin: Redis) -> None:
        self.url = url
        self.admin = admin
        self.clock = Clock()
        self.identity = Identity(self.clock)
        self.cache = Cache(url, identity=RedisIdentity(self.identity, now=self.clock), now=self.clock)

    async def accept(self, *tokens: str) -> None:
        """From now on these tokens are good. As on Azure an open connection goes on until it is closed."""
        passwords = (f">{token}" for token in tokens)
        await self.say("ACL", "SETUSER", NAME, "reset", "on", "~*", "&*", "+@all", *passwords)

    async def say(self, *parts: str) -> None:
        """Sends a command of an administrator."""
        await self.admin.execute_command(*parts)  # type: ignore[no-untyped-call] # redis-py declares it so

    async def connections(self) -> list[dict[str, Any]]:
        """The open connections of the process."""
        return [each for each in await self.admin.client_list() if each["user"] == NAME]


@pytest.fixture
async def house(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[House]:
    """The server, closed to everybody without a token; whatever is logged meanwhile holds none."""
    caplog.set_level(logging.DEBUG)
    server = start(tmp_path)
    admin = Redis.from_url(server.url)
    port = free_port()
    await admin.config_set("bind", "127.0.0.1")
    await admin.config_set("port", port)
    house = House(f"redis://127.0.0.1:{port}", admin)
    await house.say("ACL", "SETUSER", "default", "resetpass", ">nobody knows this")
    await house.accept(house.identity.token)
    yield house
    await house.cache.close()
    await admin.aclose()
    server.stop()
    said = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    assert house.identity.token not in said
    assert jwt("one") not in said
    assert house.identity.closed == 1


async def test_a_connection_logs_in_by_object_id_and_token(house: House) -> None:
    assert await house.cache.set("key", b"value", ttl=60)
    assert await asyncio.gather(*(house.cache.get("key") for _ in range(50))) == [b"value"] * 50
    assert len(await house.connections()) > 1
    assert house.identity.asked == 1


async def test_the_name_may_be_set(house: House) -> None:
    house.identity.token = "opaque"
    await house.accept("opaque")
    with pytest.raises(CacheUnavailable, match="REDIS_USERNAME"):
        await house.cache.get("key")
    named = Cache(house.url, identity=RedisIdentity(Identity(house.clock), NAME, now=house.clock))
    await house.accept(jwt("one"))
    assert await named.get("key") is None
    await named.close()


async def test_connections_log_in_anew_before_their_token_ends_and_stay_open(house: House) -> None:
    await asyncio.gather(*(house.cache.get("key") for _ in range(20)))
    before = {each["id"] for each in await house.connections()}
    house.identity.token = jwt("two")
    await house.accept(jwt("one"), jwt("two"))
    house.clock.seconds += HOUR - 300
    await house.cache.get("key")
    assert house.identity.asked == 1
    house.clock.seconds += 100  # 200 seconds before the end: Azure asks for 180
    house.identity.takes = 0.4  # longer than the patience of a call, which does not wait for it
    started = time.monotonic()
    await asyncio.gather(*(house.cache.get("key") for _ in range(20)))
    assert time.monotonic() - started < 0.39
    house.identity.takes = 0.0

    async def renewed() -> bool:
        await asyncio.gather(*(house.cache.get("key") for _ in range(20)))
        log = await house.admin.info("commandstats")
        return int(log["cmdstat_auth"]["calls"]) >= 2 * len(before)

    await eventually(renewed)
    assert {each["id"] for each in await house.connections()} == before
    assert (house.identity.asked, house.cache.failures) == (2, 0)
    # The old token is no good any more, and nothing of it is in use.
    await house.accept(jwt("two"))
    house.clock.seconds += 1000
    await asyncio.gather(*(house.cache.get("key") for _ in range(20)))
    assert house.cache.failures == 0


async def test_a_connection_that_the_server_closed_comes_back_with_the_new_token(house: House) -> None:
    await house.cache.get("key")
    house.identity.token = jwt("two")
    house.clock.seconds += HOUR + 1
    await house.accept(jwt("two"))
    for each in await house.connections():
        await house.admin.client_kill_filter(_id=each["id"])
    assert await house.cache.get("key") is None
    assert (house.identity.asked, house.cache.failures) == (2, 0)


async def test_an_identity_that_fails_matters_only_when_the_token_has_ended(house: House) -> None:
    await house.cache.get("key")
    house.identity.error = RuntimeError("hidden-word")
    house.clock.seconds += HOUR - 100
    for _ in range(20):
        assert await house.cache.get("key") is None
        await asyncio.sleep(0)
    assert (house.identity.asked, house.cache.failures) == (2, 0)
    house.clock.seconds += 101
    with pytest.raises(CacheUnavailable, match="no token of Entra ID") as told:
        await house.cache.get("key")
    assert "hidden-word" not in str(told.value)
    for _ in range(20):
        with pytest.raises(CacheUnavailable, match="away"):
            await house.cache.get("key")
    assert house.identity.asked == 3
    house.identity.error = None
    house.clock.seconds += 1.01
    assert await house.cache.get("key") is None


async def test_a_slow_identity_takes_no_longer_than_the_budget_of_a_call(house: House) -> None:
    house.identity.takes = 0.5
    started = time.monotonic()
    with pytest.raises(CacheUnavailable):
        await house.cache.get("key")
    assert time.monotonic() - started < 0.49

    async def answered() -> bool:
        house.clock.seconds += 1.01
        try:
            await house.cache.get("key")
        except CacheUnavailable:
            return False
        return True

    await eventually(answered)
    assert house.identity.asked == 1


async def test_a_refused_token_is_unavailable_and_told_to_nobody(house: House) -> None:
    await house.accept("another")
    with pytest.raises(CacheUnavailable, match="AuthenticationError") as told:
        await house.cache.get("key")
    assert house.identity.token not in str(told.value) + repr(told.value.__cause__)
    await house.accept(house.identity.token)
    house.clock.seconds += 1.01
    assert await house.cache.get("key") is None


async def test_a_token_that_is_nearly_over_is_asked_for_every_second(house: House) -> None:
    await house.cache.get("key")
    house.identity.error = RuntimeError("away")
    house.clock.seconds += HOUR - 5
    for asked in (2, 3, 4):
        assert await house.cache.get("key") is None
        await asyncio.sleep(0)
        assert house.identity.asked == asked
        house.clock.seconds += 1.01
    house.identity.error = None
    assert await house.cache.get("key") is None
    assert house.cache.failures == 0


async def test_settings_decide_whether_there_is_an_identity(tmp_path: Path) -> None:
    address = "rediss://cache.example.com:10000"
    assert open_redis_identity(settings_for(tmp_path, address)) is None
    assert open_redis_identity(settings_for(tmp_path, None, REDIS_ENTRA_ID="true")) is None
    identity = open_redis_identity(settings_for(tmp_path, address, REDIS_ENTRA_ID="true"))
    assert identity is not None  # azure-identity's own; nothing is asked before the first connection
    await identity.close()


async def test_all_servers_of_a_cluster_are_logged_in_to_by_token(tmp_path: Path) -> None:
    clock = Clock()
    with running_cluster(tmp_path) as cluster:
        identity = Identity(clock)
        for node in cluster.nodes:
            node.say("ACL", "SETUSER", NAME, "on", "~*", "&*", "+@all", f">{identity.token}")
        cache = Cache(cluster.url, cluster=True, identity=RedisIdentity(identity, now=clock))
        keys = [f"key-{number}" for number in range(60)]
        assert all(await asyncio.gather(*(cache.set(key, key, ttl=60) for key in keys)))
        for node in cluster.nodes:
            assert NAME in {each["user"] for each in node.admin.client_list()}
        await cache.close()
        assert identity.asked == 1
