"""Builds the small contract with the real generators, and its application around the real runtime."""

from __future__ import annotations

import copy
import importlib
import itertools
import sys
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from handlers.contract.answers import AnswerCheck
from handlers.contract.runtime import Runtime, connexion_app, no_lifespan
from handlers.contract.security import Credentials
from handlers.contract.services import Services
from handlers.platform.edge import Edge
from handlers.platform.limits import LimitRule
from handlers.platform.logs import LineWriter
from infra.contract import models, routing
from infra.contract.bundle import Json, load

SOURCE = Path(__file__).with_name("contract.yaml")
HANDLERS = "tests.support.small"
_CREDENTIALS: list[Json] = [{"bearerAuth": []}, {"cookieAuth": []}]
_count = itertools.count()


def small_document() -> Json:
    """The small contract as the bundle would publish it."""
    document: Json = load(SOURCE)
    for item in document["paths"].values():
        for operation in item.values():
            operation.setdefault("tags", ["shop"])
            operation.setdefault("x-required-role", "anonymous")
            open_to_all = operation["x-required-role"] == "anonymous"
            operation["security"] = [*_CREDENTIALS, {}] if open_to_all else list(_CREDENTIALS)
    return document


def generated_package(document: Json, folder: Path) -> str:
    """Writes models, parameters, views and routing of a document as a package of its own; answers its name."""
    name = f"small_generated_{next(_count)}"
    package = folder / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    models.write_models(document, package / "models.py")
    models.write_views(document, package / "views.py")
    (package / "params.py").write_text(routing.render_params(document, name), encoding="utf-8")
    (package / "routing.py").write_text(routing.render_routing(document, name, HANDLERS), encoding="utf-8")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return name


def small_app(document: Json, package: str, services: Services, writer: LineWriter, **options: Any) -> ASGIApp:
    """The application of the small contract; `options` go to its `Runtime`."""
    settings = services.settings
    defaults = {
        "limits": services.limits,
        "csrf": services.csrf,
        "default_limit": LimitRule(settings.rate_limit_per_minute, settings.rate_limit_burst),
        "max_body_bytes": settings.max_body_bytes,
        "services": services,
        "answers": AnswerCheck(document),
    }
    runtime = Runtime(**{**defaults, **options})
    inner = connexion_app(
        copy.deepcopy(document), runtime, Credentials(services.tokens), no_lifespan, f"{package}.routing"
    )
    return Edge(inner, settings, services.telemetry, writer)
