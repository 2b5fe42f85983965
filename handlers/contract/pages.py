"""The published documents and reference pages: `/openapi.yaml`, `/docs`, `/docs/states` and so on.

Read and compressed once at start; a request costs a look-up. They are no operations of the contract they publish.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem

GENERATED: Final = Path(__file__).resolve().parents[2] / "generated"
_TYPES: Final = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".yaml": b"application/yaml",
}
Headers = list[tuple[bytes, bytes]]
_ALLOW: Final = "GET, HEAD, OPTIONS"


class _Page:
    __slots__ = ("_packed", "body", "etag", "headers")

    def __init__(self, path: Path, policy: str | None) -> None:
        self.body = path.read_bytes()
        self._packed: bytes | None = None
        self.etag = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'.encode()
        self.headers: Headers = [
            (b"content-type", _TYPES[path.suffix]),
            (b"etag", self.etag),
            (b"cache-control", b"public, max-age=300"),
            (b"vary", b"accept-encoding"),
        ]
        if policy:
            self.headers.append((b"content-security-policy", policy.encode("ascii")))

    @property
    def packed(self) -> bytes:
        """The body in gzip, packed when it is first asked for: the start shall not wait for it."""
        if self._packed is None:
            self._packed = gzip.compress(self.body, 6, mtime=0)
        return self._packed


class Pages:
    """Answers the paths of the documents and pages; hands everything else on."""

    def __init__(self, app: ASGIApp, folder: Path = GENERATED) -> None:
        self._app = app
        docs = folder / "docs"
        policies = json.loads((docs / "policies.json").read_bytes())
        self._pages = {
            "/docs": _Page(docs / "index.html", policies["/docs"]),
            "/docs/events": _Page(docs / "events.html", policies["/docs/events"]),
            "/docs/states": _Page(docs / "states.html", policies["/docs/states"]),
        }
        for name in ("openapi.yaml", "openapi.json", "asyncapi.yaml", "asyncapi.json"):
            self._pages[f"/{name}"] = _Page(folder / name, None)
        for path in _assets(docs / "assets"):
            self._pages[f"/docs/assets/{path.name}"] = _Page(path, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"]) if scope["type"] == "http" else None
        if page is None:
            await self._app(scope, receive, send)
            return
        scope["hph"].template = scope["path"]
        if scope["method"] in ("GET", "HEAD"):
            await _send_page(page, scope, send)
        elif scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", _ALLOW.encode())]})
            await send({"type": "http.response.body"})
        else:
            headers = ((b"allow", _ALLOW.encode()),)
            refused = Problem("METHOD_NOT_ALLOWED", "Method not allowed", details={"allow": _ALLOW}, headers=headers)
            await send_problem(send, refused, scope["hph"].request_id)


def _assets(folder: Path) -> Iterable[Path]:
    return (path for path in folder.iterdir() if path.suffix in _TYPES)


async def _send_page(page: _Page, scope: Scope, send: Send) -> None:
    request = dict(scope["headers"])
    if request.get(b"if-none-match") == page.etag:
        await send({"type": "http.response.start", "status": 304, "headers": page.headers})
        await send({"type": "http.response.body"})
        return
    packed = b"gzip" in request.get(b"accept-encoding", b"")
    body = page.packed if packed else page.body
    headers = [*page.headers, (b"content-length", b"%d" % len(body))]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
