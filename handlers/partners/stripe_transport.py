"""Stripe's library over our connections: bounded in time and size, and clear about whether a request got there."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import stripe

CONNECT_SECONDS: Final = 3.0
MAX_ANSWER: Final = 4 * 1024 * 1024


class NotReached(stripe.APIConnectionError):
    """The request certainly did not arrive."""


class Lost(stripe.APIConnectionError):
    """The request may have arrived; its answer did not."""


class Transport(stripe.HTTPClient):
    """An HTTP client for `StripeClient`. It never tries again: what that would mean is for the caller to say."""

    name = "aiohttp"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._timeout = aiohttp.ClientTimeout(total=seconds, connect=min(CONNECT_SECONDS, seconds))
        self._opened: aiohttp.ClientSession | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One exchange. Raises `NotReached` or `Lost`, without the request in their texts."""
        try:
            async with self._session().request(
                method, url, headers=dict(headers), data=post_data, allow_redirects=False
            ) as answer:
                content = await answer.content.read(MAX_ANSWER)
                while not answer.content.at_eof():
                    content += await answer.content.read(MAX_ANSWER)
                    if len(content) > MAX_ANSWER:
                        raise Lost("an answer without end")  # type: ignore[no-untyped-call]  # its SDK is untyped here
                return content, answer.status, answer.headers
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotReached(type(error).__name__) from None  # type: ignore[no-untyped-call]  # its SDK is untyped here
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost(type(error).__name__) from None  # type: ignore[no-untyped-call]  # its SDK is untyped here

    async def close_async(self) -> None:
        """Closes the connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            # The certificates of this machine, not those that came with the library.
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(), limit=100)
            self._opened = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._opened
