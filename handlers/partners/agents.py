"""The agents: asked over HTTP with a time-out and a breaker for each, their answers kept for a while.

An agent's tool takes a JSON object by POST at `{address}{tool}` and answers one. Whoever asks has an answer of its own
for when the agent has none; where no agents are deployed (`AGENT_BASE_URL` empty) asking costs nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, Final, Protocol

import aiohttp
import orjson

from handlers.partners.breaker import Breaker, PartnerUnavailable
from handlers.platform.cache import Cache, CacheUnavailable
from handlers.settings import Settings

log = logging.getLogger(__name__)

Json = dict[str, Any]

SECONDS: Final = 0.6
KEEP_SECONDS: Final = 900  # plan, l.1654
MAX_ANSWER: Final = 1_000_000
_NAME: Final = "{service-name}"


class Agents:
    """All agents, as this process reaches them. `address` holds `{service-name}`, or is empty."""

    def __init__(self, address: str, cache: Cache, seconds: float = SECONDS) -> None:
        self._address = address.rstrip("/")
        self._cache = cache
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._breakers: dict[str, Breaker] = {}
        self._session: aiohttp.ClientSession | None = None

    @property
    def deployed(self) -> bool:
        """Whether there are agents to ask."""
        return bool(self._address)

    async def ask(self, service: str, tool: str, question: Mapping[str, Any]) -> Json | None:
        """What the agent answers, or None: not deployed, too slow, away, or nothing that makes sense."""
        if not self._address:
            return None
        content = orjson.dumps(question, option=orjson.OPT_SORT_KEYS)
        key = f"agent:{service}:{hashlib.sha256(tool.encode() + content).hexdigest()}"
        kept = await self._kept(key)
        if kept is not None:
            return kept
        breaker = self._breakers.setdefault(service, Breaker(service))
        try:
            answer = await breaker.call(lambda: self._post(service, tool, content))
        except PartnerUnavailable as error:
            log.info("agent not heard", extra={"agent": service, "reason": str(error)})
            return None
        await self._keep(key, answer)
        return answer

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, service: str, tool: str, content: bytes) -> Json:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        url = self._address.replace(_NAME, service) + tool
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(url, data=content, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise PartnerUnavailable(f"{service} answered {answer.status}")
                body = orjson.loads(await _bounded(answer.content, service))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise PartnerUnavailable(f"{service}: {type(error).__name__}") from error
        if not isinstance(body, dict):
            raise PartnerUnavailable(f"{service} answered no object")
        return body

    async def _kept(self, key: str) -> Json | None:
        try:
            content = await self._cache.get(key)
        except CacheUnavailable:
            return None
        return orjson.loads(content) if content is not None else None

    async def _keep(self, key: str, answer: Json) -> None:
        try:
            await self._cache.set(key, orjson.dumps(answer), ttl=KEEP_SECONDS)
        except CacheUnavailable:
            return


async def _bounded(stream: aiohttp.StreamReader, service: str) -> bytes:
    content = bytearray()
    async for chunk in stream.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise PartnerUnavailable(f"{service} answered too much")
    return bytes(content)


class Host(Protocol):
    """What the agents need of a process's services."""

    @property
    def settings(self) -> Settings:
        """Where the agents are."""
        ...

    @property
    def cache(self) -> Cache:
        """Where their answers are kept."""
        ...


def agents(services: Host) -> Agents:
    """The agents of this process: `services.room(agents)`."""
    return Agents(services.settings.agent_base_url, services.cache)
