"""The real application, forked from a process that has imported everything, with a fuse in its ports."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from handlers import worker
from handlers.app import build_services, create_app
from handlers.partners.payments import PaymentGateway
from handlers.parts import open_bus, open_store
from handlers.platform.bus import sqlite_leases
from handlers.platform.bus.port import EventBus
from handlers.platform.logs import LineWriter, configure_logging
from handlers.platform.serving import serve
from handlers.platform.store.port import DocumentStore
from handlers.settings import load_settings
from tests.flows.fuse import BETWEEN, CONTROLS, PUBLISHING, STRIPE, WRITES, Fuse, Fused, of_topic, of_write

_DIE_WITH_PARENT = 1  # prctl(2), PR_SET_PDEATHSIG


def live(folder: Path, environ: Mapping[str, str], line: Connection, control: str) -> None:
    """Serves the application until it is killed. `control`: one of `CONTROLS`, or empty."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    fuse = Fuse(line, BETWEEN if control else "")
    settings = load_settings(environ)
    wrapped = CONTROLS.get(control, Fused)
    store = cast("DocumentStore", wrapped(open_store(settings), fuse, WRITES, of_write))
    services = build_services(settings, store=store)
    services.payments = cast("PaymentGateway", Fused(services.payments, fuse, STRIPE, lambda _: "at Stripe"))
    _fuse_bus(fuse)
    fuse.listen()
    writer = LineWriter()
    configure_logging("WARNING", writer)
    serve(create_app(settings, services, writer), settings.host, settings.port, services.stopping)


def _fuse_bus(fuse: Fuse) -> None:
    """Publications and checkpoints of the bus, which the worker opens by itself."""

    def opened(*given: Any) -> EventBus:
        return cast("EventBus", Fused(open_bus(*given), fuse, PUBLISHING, of_topic))

    save = sqlite_leases.save

    def saving(*given: Any) -> Any:
        fuse.step("before checkpoint")
        lost = save(*given)
        fuse.step("in checkpoint, not committed")
        return lost

    for module, name, wrapped in ((worker, "open_bus", opened), (sqlite_leases, "save", saving)):
        setattr(module, name, wrapped)
