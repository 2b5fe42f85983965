"""Logging in to Redis with Microsoft Entra ID instead of a password: the name is an object id, the password a token.

As Azure has it ("Use Microsoft Entra ID for cache authentication": scope, object id as user name, AUTH again with a
new token before the old one ends, best three minutes before, else the server closes the connection). A token is asked
for when the one at hand has less than `RENEW_SECONDS` to live, behind the calls that go on with it; every connection
logs in anew before it is used next. One that idles past the end of its token is closed by the server and opened again.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import orjson
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

from handlers.platform.redis_server import RETRY_SECONDS

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential
    from redis.asyncio.connection import AbstractConnection

log = logging.getLogger(__name__)

SCOPE: Final = "https://redis.azure.com/.default"
# azure-identity gives out what it keeps until 300 seconds before its end; Azure wants AUTH 180 seconds before.
RENEW_SECONDS: Final = 240.0
_PAUSE_SECONDS: Final = 10.0
_TOKEN_SECONDS: Final = 30.0


class RedisIdentity(CredentialProvider):
    """The login of all connections of a process. Without `username` it is the object id that the token names."""

    def __init__(
        self, credential: AsyncTokenCredential, username: str | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self._credential = credential
        self._username = username
        self._now = now
        self._token: AccessToken | None = None
        self._asking: asyncio.Task[None] | None = None
        self._ask_again_at = 0.0
        self._logged_in: WeakKeyDictionary[AbstractConnection, str] = WeakKeyDictionary()

    async def get_credentials_async(self) -> tuple[str, str]:
        """User name and password of a new connection. Raises `AuthenticationError` without a token that is good."""
        token = await self._current()
        return self._username or _object_id(token), token

    async def log_in(self, connection: AbstractConnection) -> None:
        """Sets a new connection up, with a token."""
        token = await self._current()
        await connection.on_connect()
        self._logged_in[connection] = token

    async def renew(self, connection: AbstractConnection) -> None:
        """Logs a connection in by the newest token. The caller alone has it, and closes it when this raises."""
        name, token = await self.get_credentials_async()
        if self._logged_in.get(connection) == token:
            return
        await connection.send_command("AUTH", name, token, check_health=False)
        await connection.read_response()
        self._logged_in[connection] = token

    async def close(self) -> None:
        """Closes the credential."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.wait([asking])
        await self._credential.close()

    async def _current(self) -> str:
        left = self._token.expires_on - self._now() if self._token is not None else 0.0
        if left <= RENEW_SECONDS and self._asking is None and self._now() >= self._ask_again_at:
            self._asking = asyncio.create_task(self._ask(), name="redis token")
        if left <= 0 and self._asking is not None:
            # The call has its own patience; the question goes on without it.
            await asyncio.shield(self._asking)
        if self._token is None or self._token.expires_on <= self._now():
            raise AuthenticationError("no token of Entra ID for Redis")
        return self._token.token

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(_TOKEN_SECONDS):
                self._token = await self._credential.get_token(SCOPE)
        except Exception as error:
            # Told to the caller as a missing token. The text of an identity's error is not ours to log.
            log.warning("no token for the cache", extra={"reason": type(error).__name__})
        finally:
            # An identity may give the same token again for a while; without one that lasts there is no time to lose.
            lasting = self._token is not None and self._token.expires_on - self._now() > _PAUSE_SECONDS
            self._ask_again_at = self._now() + (_PAUSE_SECONDS if lasting else RETRY_SECONDS)
            self._asking = None


def _object_id(token: str) -> str:
    """The `oid` of a token, which is for the server to check (RFC 7519, 3). Raises `AuthenticationError`."""
    try:
        claims = token.split(".")[1]
        found: Any = orjson.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"]
    except (IndexError, KeyError, TypeError, ValueError):
        found = None
    if not isinstance(found, str) or not found:
        # `from None`, for an error of parsing may hold what was parsed.
        raise AuthenticationError("the token names no object id: set REDIS_USERNAME") from None
    return found
