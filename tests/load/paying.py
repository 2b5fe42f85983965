"""Stripe's stand-in as a process on the load's core, for a server under load."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from infra.local.processes import dying_with_parent
from infra.local.stripe import SECRET_KEY
from infra.local.stripe.http import CONTROLS
from tests.load.servers import Server

WEBHOOK_SECRET: Final = "whsec_of_the_bench"
_STOP_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in."""

    url: str

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a server that pays there."""
        return {
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_API_BASE": self.url,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }

    def tell(self, server: Server) -> None:
        """Sends webhooks to a server from now on, as Stripe does."""
        host, port = server.address
        endpoint = {"url": f"http://{host}:{port}/api/webhooks/stripe", "secret": WEBHOOK_SECRET}
        asked = urllib.request.Request(
            f"{self.url}{CONTROLS}endpoint",
            data=json.dumps(endpoint).encode(),
            headers={"authorization": f"Bearer {SECRET_KEY}"},
            method="PUT",
        )
        with urllib.request.urlopen(asked, timeout=10):
            pass


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A stand-in for the time of a block."""
    command = dying_with_parent([sys.executable, "-m", "infra.local.stripe"])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield StandIn(process.stdout.readline().strip())
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)
