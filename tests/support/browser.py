"""Opens a page in a real Chromium and tells what happened: requests, errors, text, and a picture on demand."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

# Chromium's own traffic (updates, sync, variations) is off, so every request that is seen is the page's.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NO_REQUEST = ("data", "blob", "about")


@dataclass
class Visit:
    """What one visit of a page led to."""

    url: str
    text: str = ""
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def outside(self) -> list[str]:
        """The requests that went to another host than the page's own."""
        own = urlsplit(self.url).netloc
        parts = [(url, urlsplit(url)) for url in self.requests]
        return [url for url, part in parts if part.scheme not in _NO_REQUEST and part.netloc != own]


def executable() -> str | None:
    """The Chromium to use: `CHROMIUM`, else the one on the path; None when there is none, to skip a test by."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def open_page(
    url: str,
    *,
    wait_for: str | None = None,
    click: tuple[str, ...] = (),
    screenshot: Path | None = None,
    full_page: bool = False,
    size: tuple[int, int] = (1400, 900),
    dark: bool = False,
) -> Visit:
    """Opens `url`, waits until it is quiet (and for the selector `wait_for`), clicks each selector of `click` in turn.

    Answers every request, failed request, console error and uncaught exception, and the text that the page shows.
    """
    visit = Visit(url)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            page = browser.new_page(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
            )
            _listen(page, visit)
            page.goto(url, wait_until="networkidle")
            if wait_for:
                page.wait_for_selector(wait_for, timeout=20_000)
            for selector in click:
                page.click(selector)
                page.wait_for_timeout(500)
            visit.text = page.inner_text("body")
            if screenshot:
                page.screenshot(path=screenshot, full_page=full_page)
        finally:
            browser.close()
    return visit


def _listen(page: Page, visit: Visit) -> None:
    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            visit.errors.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    page.on("requestfailed", lambda request: visit.failed.append(f"{request.url}: {request.failure}"))
