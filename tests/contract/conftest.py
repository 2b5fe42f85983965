"""Fixtures of the contract's tests: the small contract, built once and served anew for each test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from generated.access import PERMISSIONS
from handlers.app import build_services
from handlers.contract.services import Services
from handlers.platform.access import Principal, Role
from handlers.platform.logs import LineWriter
from tests.support.app import client_of, settings_for
from tests.support.small.build import generated_package, small_app, small_document


@dataclass(slots=True)
class Small:
    """The small contract's application, in this process."""

    app: ASGIApp
    services: Services
    client: httpx.AsyncClient
    document: dict[str, Any]
    package: str

    def with_runtime(self, **options: Any) -> httpx.AsyncClient:
        """A client of another application of the same contract, whose runtime has these options."""
        writer = LineWriter(os.open(os.devnull, os.O_WRONLY))
        return client_of(small_app(self.document, self.package, self.services, writer, **options))

    def token(self, role: Role, user_id: str = "user-1") -> str:
        """An access token of a role."""
        return self.services.tokens.issue(Principal(user_id, role, PERMISSIONS[role], session_id="session-1"))

    def bearer(self, role: Role) -> dict[str, str]:
        """The header of an access token."""
        return {"Authorization": f"Bearer {self.token(role)}"}


@pytest.fixture(scope="session")
def small_package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The generated code of the small contract."""
    return generated_package(small_document(), tmp_path_factory.mktemp("small"))


@pytest.fixture
async def small(tmp_path: Path, small_package: str) -> AsyncIterator[Small]:
    """The small contract, served without limits that a test could run into."""
    services = build_services(settings_for(tmp_path, None, RATE_LIMIT_SCALE="1", RATE_LIMIT_PER_MINUTE="100000"))
    document = small_document()
    app = small_app(document, small_package, services, LineWriter(os.open(os.devnull, os.O_WRONLY)))
    async with client_of(app) as client:
        yield Small(app, services, client, document, small_package)
    services.passwords.close()
    await services.store.close()
