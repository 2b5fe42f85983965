"""Whoever writes at one process reads it at another, whose replica is behind; and nobody can forge what travels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from handlers.platform.read_your_writes import MOST, SECONDS, ReadYourWrites
from handlers.platform.store import session_tokens
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import Create, Patch, Query
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, TestClock, thing
from tests.platform.store.cosmos_adapters import stand_in, store_on

Headers = list[tuple[bytes, bytes]]
LAG = 0.3


class Process:
    """An application of two operations on a store of its own: PUT adds one to `t1`, GET answers its number."""

    def __init__(self, store: CosmosStore, key: bytes = b"k" * 32) -> None:
        self.store = store
        self.now = 1_000.0
        self.edge = ReadYourWrites(self._serve, store, key, secure=True, now=lambda: self.now)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "PUT":
            await self.store.write("things", Patch("t1", increments={"n": 1}), partition="ann")
        found = await self.store.read("things", "ann", "t1")
        listed = (await self.store.query(Query("things", "ann"))).items
        seen = (found.data["n"] if found else -1, listed[0].data["n"] if listed else -1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": repr(seen).encode()})

    async def call(self, method: str, headers: Headers | None = None) -> tuple[str, Headers]:
        """One request; what it saw, and the headers of the response."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": method, "path": "/", "headers": headers or []}
        await self.edge(scope, receive, send)
        return sent[1]["body"].decode(), sent[0]["headers"]


def carried(headers: Headers, kind: str) -> Headers:
    """What a client sends back: a browser its cookie, others the header."""
    found = dict(headers)
    if kind == "header":
        return [(b"x-session-state", found[b"x-session-state"])]
    cookie = found[b"set-cookie"].partition(b";")[0]
    return [(b"cookie", b"other=1; " + cookie + b"; more=2")]


@pytest.fixture
async def processes() -> AsyncIterator[tuple[Process, Process]]:
    """Two, the second of which reads what is 300 ms old; both have read before."""
    server: Server = stand_in(CONTAINERS, TestClock(), partitions=2)
    stores = store_on(server, CONTAINERS), store_on(server, CONTAINERS)
    await stores[0].write("things", Create(thing(n=0)))
    await asyncio.sleep(LAG + 0.05)
    server.pace.lag = LAG
    yield Process(stores[0]), Process(stores[1])
    for store in stores:
        await store.close()


@pytest.mark.parametrize("kind", ["cookie", "header"])
async def test_own_writes_are_read_at_another_process(processes: tuple[Process, Process], kind: str) -> None:
    first, second = processes
    written, headers = await first.call("PUT")
    assert written == "(1, 1)"
    assert (await second.call("GET"))[0] == "(0, 0)"  # the control: nobody told it
    assert (await second.call("GET", carried(headers, kind)))[0] == "(1, 1)"
    again, headers = await second.call("PUT", carried(headers, kind))
    assert again == "(2, 2)"
    assert (await first.call("GET", carried(headers, kind)))[0] == "(2, 2)"


async def test_a_process_that_has_not_opened_the_container_yet_reads_them_too() -> None:
    server = stand_in(CONTAINERS, TestClock(), partitions=2)
    writer, reader = store_on(server, CONTAINERS), store_on(server, CONTAINERS)
    await writer.write("things", Create(thing(n=0)))
    await asyncio.sleep(LAG + 0.05)
    server.pace.lag = LAG
    _, headers = await Process(writer).call("PUT")
    assert (await Process(reader).call("GET", carried(headers, "header")))[0] == "(1, 1)"
    await writer.close()
    await reader.close()


async def test_a_request_that_only_reads_gets_nothing(processes: tuple[Process, Process]) -> None:
    assert (await processes[0].call("GET"))[1] == []


async def test_the_cookie_is_for_the_server_alone_and_for_seconds(processes: tuple[Process, Process]) -> None:
    _, headers = await processes[0].call("PUT")
    cookie = dict(headers)[b"set-cookie"].decode()
    assert cookie.startswith("__Host-hph_state=")
    for attribute in ("HttpOnly", "Secure", "SameSite=Lax", f"Max-Age={SECONDS}", "Path=/"):
        assert attribute in cookie
    assert b"things" not in dict(headers)[b"x-session-state"]


async def test_what_is_old_forged_or_broken_is_passed_over(processes: tuple[Process, Process]) -> None:
    first, second = processes
    _, headers = await first.call("PUT")
    sealed = dict(headers)[b"x-session-state"]
    stranger = Process(first.store, b"s" * 32)
    impossible = {"things": ",".join(f"{number}:0#999999" for number in range(2))}
    wrong: list[bytes] = [
        b"",
        b"!",
        b"\xff\xfe",
        sealed[:-4],
        b"A" + sealed[1:],
        sealed + b"A" * MOST,
        stranger.edge.seal(impossible).encode(),
    ]
    for value in wrong:
        assert second.edge.open(value) == {}
        assert (await second.call("GET", [(b"x-session-state", value)]))[0] == "(0, 0)"
    assert second.edge.open(sealed)
    second.now += SECONDS + 1
    assert second.edge.open(sealed) == {}


async def test_it_is_bounded_however_much_is_written() -> None:
    seen: dict[str, Any] = {}
    for number in range(50):
        session_tokens.add(seen, "orders", f"{number}:0#{number}")
    assert seen["orders"] == "46:0#46,47:0#47,48:0#48,49:0#49"
    session_tokens.add(seen, "orders", "47:0#99")
    assert seen["orders"].split(",")[-1] == "47:0#99"
    session_tokens.wrote("orders", "1:0#1")  # outside of a request nobody collects
