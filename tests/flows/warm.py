"""What the fork server does once, by importing this: a whole start and end of the application, which loads everything.

Never imported by tests: it changes Connexion. An import that fails here would be passed over by the fork server.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import tempfile
import threading
from pathlib import Path

from connexion.spec import Specification

from handlers.app import build_services, create_app
from handlers.contract.pages import GENERATED
from handlers.platform.logs import LineWriter
from handlers.settings import load_settings
from tests.flows import child
from tests.support.app import lifespan

for _name in ("uvloop", "uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on"):
    importlib.import_module(_name)
# Connexion reads and checks the document at every start, for a second.
_known = Specification.from_dict(json.loads((GENERATED / "openapi.json").read_bytes()))
Specification.from_dict = staticmethod(lambda _: _known)


async def _begin_and_end(folder: str) -> None:
    environ = {
        "ENV": "test",
        "DATA_DIR": folder,
        "REDIS_URL": f"unix://{Path(folder) / 'nobody'}",
        "JWT_SECRET": "j" * 40,
        "DATA_KEY": "d" * 40,
        "STRIPE_SECRET_KEY": "sk_test_nothing",
        "STRIPE_WEBHOOK_SECRET": "whsec_nothing",
    }
    settings = load_settings(environ)
    writer = LineWriter()
    async with lifespan(create_app(settings, build_services(settings), writer)):
        pass
    writer.close()


with tempfile.TemporaryDirectory() as _folder:
    asyncio.run(_begin_and_end(_folder))
if threading.active_count() != 1:
    raise RuntimeError(f"a fork would lose {[each.name for each in threading.enumerate()]}, for {child.__name__}")
gc.collect()
gc.freeze()
