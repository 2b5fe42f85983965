"""Password hashes: bcrypt on threads of its own, so that neither the event loop nor other work waits for it.

Every check costs exactly one bcrypt computation, also for an unknown user and an impossible password, so that the time
of an answer tells nothing (decisions 18 and 53).
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import bcrypt

from handlers.platform.errors import unavailable

T = TypeVar("T")

MAX_BYTES: Final = 72
THREADS: Final = 2
MAX_WAITING: Final = 64
_ALPHABET: Final = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def encoded(password: str) -> bytes:
    """The bytes that are hashed: UTF-8 of the NFKC form, so that keyboards do not matter (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode()


class Passwords:
    """Hashes and checks passwords. `cost` is bcrypt's: each step doubles the time (12: about 270 ms).

    Raises `Problem` 503 when more than `MAX_WAITING` computations are waiting. `computed` counts those done.
    """

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bcrypt")
        self._waiting = 0
        self.computed = 0
        # A well-formed hash that no password is known for, made without the time of making one.
        self._nobody = bcrypt.gensalt(cost) + "".join(secrets.choice(_ALPHABET) for _ in range(31)).encode()

    async def hash(self, password: str) -> str:
        """The hash of a new password of at most `MAX_BYTES` bytes."""
        content = encoded(password)
        return await self._run(lambda: bcrypt.hashpw(content, bcrypt.gensalt(self._cost)).decode("ascii"))

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password belongs to the hash; never for None (no such user, or one without a password)."""
        content = encoded(password)
        possible = hashed is not None and len(content) <= MAX_BYTES
        against = hashed.encode("ascii") if hashed is not None and possible else self._nobody
        equal = await self._run(lambda: bcrypt.checkpw(content[:MAX_BYTES], against))
        return equal and possible

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made with a lower cost than new ones are (`$2b$12$...`)."""
        return int(hashed.split("$")[2]) < self._cost

    def close(self) -> None:
        """Ends the threads once their work is done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, computation: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise unavailable("Too many sign-ins at once")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, computation)
        finally:
            self._waiting -= 1
            self.computed += 1
