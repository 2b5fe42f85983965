"""Waiting that can be told to end."""

from __future__ import annotations

import asyncio


async def told(event: asyncio.Event, seconds: float) -> bool:
    """Waits for the event, but no longer than so many seconds; whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
