"""`python -m infra.local.cosmos`: serves the stand-in on loopback."""

import asyncio

from infra.local.cosmos.http import main

asyncio.run(main())
