"""The adapter and the whole application over real sockets, against the stand-in in and out of this process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from generated.containers import CONTAINERS as REAL
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_connection import Account
from handlers.platform.store.cosmos_indexing import definition
from handlers.platform.store.cosmos_retry import Policy
from handlers.platform.store.port import (
    Create,
    Delete,
    OutcomeUnknown,
    Patch,
    Query,
    Replace,
    Sort,
    StoreUnavailable,
)
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.faults import FEED, READ, WRITE, Fault
from infra.local.cosmos.http import serving
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, thing
from tests.support.app import RunningApp, running_app
from tests.support.people import signed_in

ROOT = Path(__file__).resolve().parents[3]
QUICK = Policy(attempt=1.0, seconds=4.0, first_pause=0.001, longest_pause=0.02)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """On loopback, four ranges."""
    async with serving(partitions=4) as found:
        found.provide("tests", [definition(container) for container in CONTAINERS.values()])
        yield found


@pytest.fixture
async def store(server: Server) -> AsyncIterator[CosmosStore]:
    """A store as the application opens it, but quicker."""
    opened = CosmosStore(Account(server.url, "tests", WELL_KNOWN_KEY), CONTAINERS, writing=QUICK)
    yield opened
    await opened.close()


async def commits(server: Server) -> int:
    """How many writes the range of the partition has seen."""
    return server.collection("tests", "things").physical(("ann",)).lsn


async def test_a_put_whose_answer_is_lost_is_not_sent_twice(server: Server, store: CosmosStore) -> None:
    """aiohttp would repeat PUT and DELETE by itself, and the second would be refused: a conflict that never was."""
    first = await store.write("things", Create(thing(n=1)))
    assert first is not None
    server.faults.add(Fault("lost_after", WRITE))
    replaced = await store.write("things", Replace(thing(n=2), if_match=first.etag))
    assert replaced is not None
    assert await commits(server) == 2
    server.faults.add(Fault("lost_after", WRITE))
    await store.write("things", Delete("t1", if_match=replaced.etag), partition="ann")
    assert await commits(server) == 3
    assert await store.read("things", "ann", "t1") is None


async def test_lost_connections_in_every_place(server: Server, store: CosmosStore) -> None:
    await store.write("things", Create(thing(n=0)))
    for effect in ("lost_before", "lost_after"):
        for kind in (READ, WRITE):
            server.faults.add(Fault(effect, kind))
            await store.write("things", Patch("t1", increments={"n": 1}), partition="ann")
            assert await store.read("things", "ann", "t1") is not None
            server.faults.clear()
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert found.data["n"] == 4
    page = await store.query(Query("things", purpose="everything", sort=(Sort("n"),)))
    assert [item.data["n"] for item in page.items] == [4]
    feeds = await store.feeds()
    server.faults.add(Fault("lost_after", FEED))
    await store.batch("things", "ann", [Create(thing("event", kind="outbox"))])
    rows = [row.data["id"] for feed in feeds for row in (await store.changes(feed, None, 10)).items]
    assert rows == ["event"]


async def test_nobody_listens() -> None:
    """Refused before it was sent: nothing is in doubt."""
    async with serving() as server:
        server.provide("tests", [definition(container) for container in CONTAINERS.values()])
        policy = Policy(attempt=0.5, seconds=1.0, first_pause=0.001, longest_pause=0.02)
        store = CosmosStore(Account(server.url, "tests", WELL_KNOWN_KEY), CONTAINERS, writing=policy)
        await store.write("things", Create(thing()))
    await asyncio.sleep(0.1)  # until the connection that was kept is known to be closed
    with pytest.raises(StoreUnavailable) as refused:
        await store.write("things", Create(thing("t2")))
    assert not isinstance(refused.value, OutcomeUnknown)
    await store.close()


async def test_nobody_ever_listened() -> None:
    store = CosmosStore.open("http://127.0.0.1:9", "tests", CONTAINERS, key=WELL_KNOWN_KEY)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.ping()
    await store.close()
    await store.close()


# --- the application ------------------------------------------------------------------------------------------------


@pytest.fixture
async def on_cosmos(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """The application whose COSMOS_ACCOUNT_URI is the stand-in's address."""
    async with serving(partitions=4) as server:
        server.provide("shop", [definition(container) for container in REAL.values()])
        where = {
            "COSMOS_ACCOUNT_URI": server.url,
            "COSMOS_KEY": WELL_KNOWN_KEY,
            "COSMOS_DATABASE": "shop",
            "AGENT_BASE_URL": "none",
        }
        async with running_app(tmp_path, redis_url, **where) as app:
            yield app


async def test_the_application_runs_on_cosmos(on_cosmos: RunningApp) -> None:
    assert isinstance(on_cosmos.services.store, CosmosStore)
    person = await signed_in(on_cosmos)
    me = await on_cosmos.client.get("/api/users/me", headers=person.bearer)
    assert me.status_code == 200
    assert me.json()["email"] == person.email
    again = await on_cosmos.client.post(
        "/api/auth/signup", json={"name": "Dana", "email": person.email, "password": person.password}
    )
    assert again.status_code == 409
    listed = await on_cosmos.client.get("/api/products")
    assert listed.status_code == 200
    assert listed.json()["items"] == []
    ready = await on_cosmos.client.get("/readyz")
    assert ready.status_code == 200


# --- in a process of its own ----------------------------------------------------------------------------------------


@contextmanager
def stand_in_process() -> Iterator[dict[str, str]]:
    """The stand-in as `python -m infra.local.cosmos`; the environment that points to it."""
    command = [sys.executable, "-m", "infra.local.cosmos", "--port", "0", "--partitions", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rpartition("=")[2].strip()
            yield {"COSMOS_ACCOUNT_URI": url, "COSMOS_KEY": WELL_KNOWN_KEY, "COSMOS_DATABASE": "shop"}
        finally:
            process.terminate()


def provision(environ: dict[str, str], *options: str) -> tuple[int, str]:
    """`make provision`: its exit code and what it says."""
    command = [sys.executable, "-m", "infra.azure.provision", *options]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


async def test_provisioning_and_two_processes(tmp_path: Path) -> None:
    with stand_in_process() as environ:
        code, said = provision({**environ, "DATA_DIR": str(tmp_path)})
        assert code == 0, said
        assert said.count("created") == len(REAL)
        store = CosmosStore.open(environ["COSMOS_ACCOUNT_URI"], "shop", REAL, key=WELL_KNOWN_KEY)
        await store.write("lookups", Create({"id": "a", "key": "a", "target": {}}))
        other = CosmosStore.open(environ["COSMOS_ACCOUNT_URI"], "shop", REAL, key=WELL_KNOWN_KEY)
        assert await other.read("lookups", "a", "a") is not None
        async with aiohttp.ClientSession() as session:
            fault = [{"effect": 429, "on": "read", "times": 2}]
            await session.put(f"{environ['COSMOS_ACCOUNT_URI']}/stand-in/faults", json=fault)
            assert await other.read("lookups", "a", "a") is not None
            told = await (await session.delete(f"{environ['COSMOS_ACCOUNT_URI']}/stand-in/faults")).json()
        assert told["happened"] == 2
        await store.close()
        await other.close()
