"""What a process brings up before it is ready. It waits for a dependency that is unavailable instead of ending."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.platform.dependencies import UNAVAILABLE
from handlers.platform.errors import unavailable

FIRST_PAUSE: Final = 0.5  # seconds
LONGEST_PAUSE: Final = 15.0
# So long the server does not listen yet: usually everything is up by then, and nobody is refused.
HEAD_START: Final = 5.0
PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})

Step = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class Startup:
    """The steps of a start by name, side by side. A step is called again until it succeeds, so it must bear that."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._done: dict[str, bool] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, name: str, step: Step) -> None:
        """Adds a step before the start."""
        self._steps[name] = step
        self._done[name] = False

    def is_done(self, name: str) -> bool:
        """Whether a step has succeeded."""
        return self._done.get(name, False)

    def checks(self) -> dict[str, bool]:
        """Every step, and whether it has succeeded."""
        return dict(self._done)

    async def begin(self) -> None:
        """Returns when every step has succeeded or failed once, or after `HEAD_START`; what is left goes on.

        Raises what a step raised at its first call, unless a dependency was unavailable: then the code is wrong.
        """
        tried = [asyncio.get_running_loop().create_future() for _ in self._steps]
        self._tasks = [
            asyncio.create_task(self._climb(name, step, first), name=f"start {name}")
            for (name, step), first in zip(self._steps.items(), tried, strict=True)
        ]
        if not tried:
            return
        done, waiting = await asyncio.wait(tried, timeout=HEAD_START, return_when=asyncio.FIRST_EXCEPTION)
        for first in waiting:
            first.cancel()
        for first in done:
            first.result()

    async def stop(self) -> None:
        """Gives up the steps that have not succeeded yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _climb(self, name: str, step: Step, first: asyncio.Future[None]) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await step()
            except UNAVAILABLE as error:
                log.warning("start waits for a dependency", extra={"step": name, "reason": type(error).__name__})
                _settle(first)
            except Exception as error:
                _settle(first, error)
                # Whoever waits for the first call ends the process; later there is only the log.
                log.error("a step of the start failed", extra={"step": name, "reason": type(error).__name__})  # noqa: TRY400 - the type alone: texts may hold what logs must not
            else:
                self._done[name] = True
                _settle(first)
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause = min(2 * pause, LONGEST_PAUSE)


class StartupGate:
    """ASGI middleware: until a step has succeeded, everything but probes raises `Problem` 503."""

    def __init__(self, app: ASGIApp, startup: Startup, step: str) -> None:
        self._app = app
        self._startup = startup
        self._step = step
        self._open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it. One look at a flag once the step has succeeded."""
        if not self._open and scope["type"] == "http" and scope["path"] not in PROBES:
            self._open = self._startup.is_done(self._step)
            if not self._open:
                raise unavailable()
        await self._app(scope, receive, send)


def _settle(first: asyncio.Future[None], error: Exception | None = None) -> None:
    if first.done():
        return
    if error is None:
        first.set_result(None)
    else:
        first.set_exception(error)
