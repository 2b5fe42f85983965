"""The reference pages as a reader sees them: the running application in a real Chromium, with no other host asked."""

from __future__ import annotations

import asyncio

import pytest

from handlers.version import VERSION
from tests.support.app import RunningApp
from tests.support.browser import Visit, executable, open_page
from tests.support.server import served


async def _visit(running: RunningApp, path: str, wait_for: str, click: tuple[str, ...]) -> Visit:
    assert executable() is not None, "Chromium is needed for the pages (Debian: apt-get install chromium)"
    async with served(running.app) as base:
        return await asyncio.to_thread(open_page, f"{base}{path}", wait_for=wait_for, click=click)


@pytest.mark.parametrize(
    ("path", "wait_for", "click", "words"),
    [
        ("/docs", "text=Holiday Peak Hub API", ('text="products"',), ["Holiday Peak Hub API", "List products"]),
        ("/docs/states", "img[alt*=OrderStatus]", (), ["OrderStatus", "ShipmentStatus"]),
        ("/docs/events", "text=OrderCreated", (), ["Holiday Peak Hub", "order-events", "OrderCreated"]),
    ],
)
async def test_a_page_shows_the_contract_and_asks_no_other_host(
    running: RunningApp, path: str, wait_for: str, click: tuple[str, ...], words: list[str]
) -> None:
    visit = await _visit(running, path, wait_for, click)
    assert visit.outside() == []
    assert visit.failed == []
    assert visit.errors == []
    assert [word for word in words if word not in visit.text] == []


async def test_documents_are_published_as_generated(running: RunningApp) -> None:
    for name, kind in (("openapi", "openapi: 3.0.3"), ("asyncapi", "asyncapi: 3.0.0")):
        text = await running.client.get(f"/{name}.yaml")
        assert text.status_code == 200
        assert text.text.startswith(kind)
        again = await running.client.get(f"/{name}.yaml", headers={"If-None-Match": text.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await running.client.get(f"/{name}.json")).json()["info"]["version"] == VERSION
    refused = await running.client.post("/docs")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    asked = await running.client.options("/docs")
    assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", "GET, HEAD, OPTIONS")
