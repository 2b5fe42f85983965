"""Written by `make generate` from the contract. Do not edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from generated import events as e
from handlers.contract.services import EventServices
from handlers.platform.events import Event


HANDLERS: Final[dict[tuple[str, str], Callable[[Event[Any], EventServices], Awaitable[None]]]] = {
}

__all__ = ["HANDLERS", "e"]
