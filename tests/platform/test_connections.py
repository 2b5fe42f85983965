"""Slow, silent and oversized clients on a real server: each costs little and ends; the others do not notice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send

from handlers.platform.connections import Bounds, Connections
from tests.support.server import served
from tests.support.wait import eventually
from tests.support.wire import exchange, request

# As in production, but in tenths of seconds instead of tens.
QUICK = Bounds(head_seconds=0.3, body_seconds=0.3, body_rate=1_000.0)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the size of the body, `/early` without looking at it."""
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    body = b"%d" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def opened(base: str, first: bytes = b"") -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(first)
        yield reader, writer
    finally:
        writer.close()


@pytest.fixture(autouse=True)
def _sweep_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.platform.connections.SWEEP_SECONDS", 0.05)


async def flood(writer: asyncio.StreamWriter, megabytes: int) -> None:
    """Sends so much. Raises `ConnectionError` when the other side does not want it."""
    for _ in range(megabytes):
        writer.write(b"x" * 1_000_000)
        await writer.drain()
        await asyncio.sleep(0.001)


async def read_whole(reader: asyncio.StreamReader, seconds: float = 5.0) -> bytes:
    async with asyncio.timeout(seconds):
        return await reader.read(-1)


def status_of(answer: bytes) -> int:
    """The status of the one response, which is an envelope and closes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert json.loads(body)["error"]["code"]
    return int(head[9:12])


@pytest.mark.parametrize("size", [32_400, 33_000, 200_000])
async def test_a_head_above_its_bound_is_431(size: int) -> None:
    async with served(echo, Connections()) as base:
        (answer, *more) = await exchange(base, request("GET", "/", b"X-Long: " + b"x" * size))
        assert (answer.status, more) == (200 if size < 32_600 else 431, [])
        (answer, *more) = await exchange(base, request("GET", "/", *[b"X-Many: xxxxxxxxxx"] * (size // 20)))
        assert (answer.status, more) == (200 if size < 32_600 else 431, [])


async def test_a_head_that_goes_on_and_on_is_cut_at_little_cost() -> None:
    connections = Connections()
    async with served(echo, connections) as base, opened(base, b"GET / HTTP/1.1\r\nHost: shop\r\nX-Long: ") as (_, w):
        before = time.process_time()
        with pytest.raises(ConnectionError):
            await flood(w, 60)
        assert time.process_time() - before < 1.0


async def test_a_head_too_large_behind_another_request_does_not_take_its_answer() -> None:
    async with served(echo, Connections()) as base:
        first = request("POST", "/", b"Content-Length: 2", body=b"{}", close=False)
        (answer, *_) = await exchange(base, first + request("GET", "/", b"X-Long: " + b"x" * 40_000))
        assert (answer.status, answer.body) == (200, b"2")


@pytest.mark.parametrize("first", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: shop\r\n", b"\r\n"])
async def test_a_head_that_does_not_come_ends_the_connection(first: bytes) -> None:
    connections = Connections(QUICK)
    async with served(echo, connections) as base, opened(base, first) as (reader, _):
        answer = await read_whole(reader)
        assert answer == b"" if not first else status_of(answer) == 408
        assert connections.ended["head_time"] == 1


async def test_a_head_in_drops_ends_all_the_same() -> None:
    async with (
        served(echo, Connections(QUICK)) as base,
        opened(base, b"GET / HTTP/1.1\r\nHost: shop\r\n") as (reader, writer),
    ):
        answer = asyncio.create_task(read_whole(reader))
        while not answer.done():
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.05)
        assert status_of(await answer) == 408


@pytest.mark.parametrize("pause", [None, 0.02])
async def test_a_body_that_does_not_come_ends_the_request(pause: float | None) -> None:
    connections = Connections(QUICK)
    head = request("POST", "/", b"Content-Length: 100000", close=False)
    async with served(echo, connections) as base, opened(base, head) as (reader, writer):
        answer = asyncio.create_task(read_whole(reader))
        while pause and not answer.done():
            # Never silent, and far too slow.
            writer.write(b"x")
            await asyncio.sleep(pause)
        assert status_of(await answer) == 408
        assert connections.ended["body_time"] == 1


async def test_a_body_at_its_rate_may_take_its_time() -> None:
    head = request("POST", "/", b"Content-Length: 6000")
    async with served(echo, Connections(QUICK)) as base, opened(base, head) as (reader, writer):
        for _ in range(6):
            writer.write(b"x" * 1000)
            await asyncio.sleep(0.15)
        assert (await read_whole(reader)).endswith(b"6000")


async def test_what_nobody_reads_of_a_body_is_bounded() -> None:
    bounds = Bounds(unread_bytes=100_000)
    head = request("POST", "/early", b"Content-Length: 100000000", close=False)
    async with served(echo, Connections(bounds)) as base, opened(base, head) as (_, writer):
        with pytest.raises(ConnectionError):
            await flood(writer, 20)


async def test_framing_of_chunks_without_end_is_refused() -> None:
    head = request("POST", "/", b"Transfer-Encoding: chunked", close=False)
    async with served(echo, Connections()) as base, opened(base, head) as (reader, writer):
        for _ in range(5):
            writer.write(b"1;" + b"x" * 10_000 + b"\r\na\r\n")
            await asyncio.sleep(0.005)
        assert status_of(await read_whole(reader)) == 400


async def test_a_client_that_takes_nothing_of_its_response_is_left() -> None:
    connections = Connections(QUICK)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body"})

    async with served(large, connections) as base, opened(base, request("GET", "/")):
        await eventually(lambda: connections.ended["stalled"] == 1)
        await eventually(lambda: len(connections) == 0)


async def test_an_address_has_so_many_connections_and_the_oldest_silent_one_gives_way() -> None:
    connections = Connections(Bounds(per_address=3))
    async with (
        served(echo, connections) as base,
        opened(base, request("POST", "/", b"Content-Length: 5", close=False)) as (busy, writer),
        opened(base) as (silent, _),
        opened(base) as (later, _),
    ):
        await eventually(lambda: len(connections) == 3)
        (answer,) = await exchange(base, request("GET", "/"))
        assert answer.status == 200
        assert await read_whole(silent) == b""
        assert not later.at_eof()
        writer.write(b"hello")
        assert b"200 OK" in await busy.readline()
        assert connections.ended == {"crowded": 1}


async def test_where_all_are_at_work_the_new_one_is_refused() -> None:
    connections = Connections(Bounds(per_address=2))
    half = request("POST", "/", b"Content-Length: 5", close=False)
    async with served(echo, connections) as base, opened(base, half), opened(base, half):
        await eventually(lambda: len(connections) == 2)
        async with opened(base) as (reader, _):
            answer = await read_whole(reader)
        assert status_of(answer) == 503
        assert b"retry-after" in answer
        assert connections.ended == {"refused": 1}


async def test_a_trusted_proxy_has_as_many_as_it_needs() -> None:
    connections = Connections(Bounds(per_address=2, in_all=2), trusts=lambda address: address == "127.0.0.1")
    half = request("POST", "/", b"Content-Length: 5", close=False)
    async with served(echo, connections) as base, opened(base, half), opened(base, half), opened(base, half):
        await eventually(lambda: len(connections) == 3)
        (answer,) = await exchange(base, request("GET", "/"))
        assert answer.status == 200


async def test_silent_connections_do_not_slow_down_the_others() -> None:
    async with served(echo, Connections(Bounds(per_address=1_000))) as base:
        silent = [opened(base) for _ in range(400)]
        for connection in silent:
            await connection.__aenter__()
        times = []
        for _ in range(20):
            started = time.perf_counter()
            await exchange(base, request("GET", "/healthz"))
            times.append(time.perf_counter() - started)
        for connection in silent:
            await connection.__aexit__(None, None, None)
    assert sorted(times)[10] < 0.1


@pytest.mark.parametrize("reason", ["age", "drain"])
async def test_an_old_connection_is_closed_behind_a_response(reason: str) -> None:
    connections = Connections(Bounds(age_seconds=0.05 if reason == "age" else 60))
    async with served(echo, connections) as base, opened(base, request("GET", "/", close=False)) as (reader, writer):
        assert b"close" not in await reader.readuntil(b"\r\n\r\n0")
        await asyncio.sleep(0.1)
        connections.draining = reason == "drain"
        writer.write(request("GET", "/", close=False))
        assert b"connection: close" in await read_whole(reader)
