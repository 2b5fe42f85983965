"""`python -m infra.local.demo`: loads the demo shop into the store that the environment names, once."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from handlers.app import build_services
from handlers.settings import SettingsError, load_settings
from infra.local.demo.load import NotHere, load, refuse_in_production


async def _main() -> int:
    settings = load_settings(os.environ)
    refuse_in_production(settings)
    services = build_services(settings)
    started = time.monotonic()
    try:
        if await load(services):
            print(f"Demo data loaded in {time.monotonic() - started:.1f} s.")
    finally:
        await services.background.drain()
        services.passwords.close()
        await services.store.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_main()))
    except (SettingsError, NotHere) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
