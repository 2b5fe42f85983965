"""The reference pages: `/docs` for the HTTP contract, `/docs/events` for the events, `/docs/states` for the diagrams.

All are static; the first two load the vendored bundles of `vendor.py` and the published document from the same origin,
and none asks anything of any other host. There is no inline script, so each can be served under a strict policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from infra.contract import diagrams

Json = dict[str, Any]

PAGES = Path(__file__).parent / "pages"
METHODS = ("get", "put", "post", "delete", "patch")


def _policy(scripts: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",  # both bundles write style elements and attributes
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


# The header `Content-Security-Policy` that the server sends with each page. The AsyncAPI component compiles its JSON
# Schema checks with `new Function` while it loads, hence the exception for that page alone.
CONTENT_SECURITY_POLICY = _policy("'self'")
CONTENT_SECURITY_POLICY_EVENTS = _policy("'self' 'unsafe-eval'")
CONTENT_SECURITY_POLICY_STATES = _policy("'none'")


def write_docs(openapi_bundle: Json, asyncapi_bundle: Json, out: Path) -> None:
    """Writes `index.html`, `events.html` and their own assets into `out`, beside the vendored ones.

    The pages read `/openapi.json` and `/asyncapi.json` when they are opened; the bundles given here only fill in what
    a reader without JavaScript sees.
    """
    assets = out / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    for name in ("page.css", "icon.svg", "http.js", "events.js"):
        (assets / name).write_bytes((PAGES / name).read_bytes())
    _write(out / "index.html", _http_page(openapi_bundle))
    _write(out / "events.html", _events_page(asyncapi_bundle))
    drawn = diagrams.tables(openapi_bundle)
    for name, table in drawn.items():
        _write(assets / f"states-{name}.svg", diagrams.draw(name, table))
    _write(out / "states.html", _states_page(openapi_bundle, drawn))


def _http_page(bundle: Json) -> str:
    operations = [
        (f"{method.upper()} {path}", str(operation.get("summary", "")))
        for path, item in bundle["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    return _page(
        bundle,
        name="openapi",
        scripts=("scalar.js", "http.js"),
        counts=f"{len(operations)} operations",
        entries=operations,
        current="http",
    )


def _events_page(bundle: Json) -> str:
    messages = bundle.get("components", {}).get("messages", {})
    return _page(
        bundle,
        name="asyncapi",
        scripts=("asyncapi.js", "events.js"),
        styles=("asyncapi.css",),
        counts=f"{len(messages)} events on {len(bundle.get('channels', {}))} topics",
        entries=[(name, str(message.get("summary", ""))) for name, message in messages.items()],
        current="events",
    )


def _states_page(bundle: Json, drawn: Mapping[str, diagrams.Table]) -> str:
    figures = [
        f'<h2 id="{escape(name)}">{escape(name)}</h2>\n'
        f'<figure><img src="/docs/assets/states-{escape(name)}.svg" alt="State diagram of {escape(name)}"></figure>'
        for name in drawn
    ]
    return Template((PAGES / "states.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{bundle['info']['title']} {bundle['info']['version']}"), diagrams="\n".join(figures)
    )


def _page(
    bundle: Json,
    *,
    name: str,
    scripts: tuple[str, ...],
    counts: str,
    entries: list[tuple[str, str]],
    current: str,
    styles: tuple[str, ...] = (),
) -> str:
    title = f"{bundle['info']['title']} {bundle['info']['version']}"
    here = ' aria-current="page"'
    return Template((PAGES / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        description=escape(_first_sentence(str(bundle["info"].get("description", "")))),
        document=f"/{name}.yaml",
        document_name=f"{name}.yaml",
        data=f"/{name}.json",
        counts=escape(counts),
        entries="\n".join(f"<li><code>{escape(what)}</code> {escape(why)}</li>" for what, why in entries),
        styles="\n".join(f'<link rel="stylesheet" href="/docs/assets/{style}">' for style in styles),
        scripts="\n".join(f'<script src="/docs/assets/{script}"></script>' for script in scripts),
        colours="light" if current == "events" else "light dark",  # the AsyncAPI component has no dark side
        http_current=here if current == "http" else "",
        events_current=here if current == "events" else "",
    )


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
