"""Server-sent events over a real server: they arrive one by one, and end when the client leaves."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest

from tests.contract.conftest import Small
from tests.support.server import served
from tests.support.small.shop.api import STREAMS
from tests.support.wait import eventually


@pytest.fixture(autouse=True)
def _nothing_before() -> None:
    STREAMS.clear()


async def test_events_arrive_and_the_stream_ends(small: Small) -> None:
    async with served(small.app) as base, httpx.AsyncClient(base_url=base) as client:
        answer = await client.get("/events?count=2", headers={"Last-Event-ID": "7"})
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.content == b"id: 0\ndata: {}\n\nid: 1\ndata: {}\n\n"
    assert STREAMS == ["opened", "closed"]


async def test_a_client_that_leaves_closes_the_stream(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    async with served(small.app) as base, httpx.AsyncClient(base_url=base) as client:
        async with client.stream("GET", "/events?count=0") as answer:
            async for chunk in answer.aiter_raw():
                assert chunk.startswith(b": still here")
                break
        await eventually(lambda: STREAMS == ["opened", "closed"])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_head_of_a_stream_has_no_body_and_opens_nothing(small: Small) -> None:
    async with served(small.app) as base, httpx.AsyncClient(base_url=base) as client:
        answer = await client.head("/events?count=0")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert STREAMS == []


async def test_a_stream_that_fails_midway_is_cut_and_logged(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    async with served(small.app) as base, httpx.AsyncClient(base_url=base) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/events?count=1&fail=true")
    assert STREAMS == ["opened", "closed"]
    assert any("the stream broke" in str(record.exc_info) for record in caplog.records)


async def test_many_streams_share_a_process_with_other_requests(small: Small) -> None:
    async def watch(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/events?count=0") as answer:
            async for _ in answer.aiter_raw():
                return

    async with served(small.app) as base, httpx.AsyncClient(base_url=base) as client:
        await asyncio.gather(*(watch(client) for _ in range(20)))
        assert (await client.get("/text")).status_code == 200
        await eventually(lambda: STREAMS.count("closed") == 20)
