"""`python -m infra.local.stripe`: serves the stand-in on loopback and prints its address in one line."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from pathlib import Path

from infra.local.stripe import SECRET_KEY
from infra.local.stripe.http import serving
from infra.local.stripe.webhooks import Endpoint


async def main() -> None:
    """Serves until it is told to stop. Key and secret: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.stripe")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--file", type=Path, help="keeps what it holds in this SQLite file")
    parser.add_argument("--webhooks", help="address that events are sent to")
    options = parser.parse_args()
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
    endpoint = Endpoint(options.webhooks, secret) if options.webhooks else None
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    key = os.environ.get("STRIPE_SECRET_KEY") or SECRET_KEY
    async with serving(port=options.port, key=key, file=options.file, endpoint=endpoint) as server:
        print(server.url, flush=True)
        await stopped.wait()


asyncio.run(main())
