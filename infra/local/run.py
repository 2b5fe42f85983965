"""`make run`: everything on this machine in one process group, and the address to open.

Children end with this process, also when it is killed: they carry the kernel's parent-death signal where there is one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from handlers.settings import SettingsError, load_settings
from infra.local.demo.load import NotHere, refuse_in_production
from infra.local.processes import dying_with_parent, end_with_parent
from infra.local.stripe import SECRET_KEY
from infra.local.valkey import ValkeyServer, start

START_SECONDS: Final = 30.0


class StandInFailed(Exception):
    """What the API needs beside it does not run."""


class AlreadyRunning(Exception):
    """Another `make run` holds this folder."""


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder for this process. Raises `AlreadyRunning` with what the holder wrote about itself."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(lock.read().strip()) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield


def main() -> int:
    """Starts what the API needs, loads the demo data once, starts the API, and waits. Answers the exit code."""
    environ = {"ENV": "local", **os.environ}
    if "MAKELEVEL" in environ:
        # Under `make`: what the newcomer started, and may kill, is make.
        end_with_parent()
    try:
        settings = load_settings(environ)
        refuse_in_production(settings)
        with only_one(settings.data_dir):
            return _run(environ, settings.data_dir, f"http://{settings.host}:{settings.port}")
    except (SettingsError, NotHere, StandInFailed) as error:
        print(error, file=sys.stderr)
    except AlreadyRunning as error:
        print(
            f"One is running already ({error}). End it first, or give this one a folder and port of its own:\n"
            "  make run DATA_DIR=.local-2 PORT=8010",
            file=sys.stderr,
        )
    return 2


def _run(environ: dict[str, str], folder: Path, address: str) -> int:
    with contextlib.ExitStack() as stack:
        if not environ.get("REDIS_URL"):
            server: ValkeyServer = start(folder / "valkey")
            stack.callback(server.stop)
            environ["REDIS_URL"] = server.url
        if not environ.get("STRIPE_SECRET_KEY"):
            environ |= _stripe(stack, environ, folder, address)
        if _child("infra.local.demo", environ).wait() != 0:
            return 1
        api = _child("handlers.app", environ)
        stack.callback(_end, api)
        if not _ready(api, address):
            print("The API did not start; its log above says why.", file=sys.stderr)
            return 1
        print(_welcome(address, environ.get("STRIPE_API_BASE")), flush=True)
        return _wait(api)


def _stripe(stack: contextlib.ExitStack, environ: dict[str, str], folder: Path, api: str) -> dict[str, str]:
    """Starts Stripe's stand-in; answers what the API needs to know of it. What it holds outlives a restart."""
    chosen = {"STRIPE_SECRET_KEY": SECRET_KEY, "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}"}
    arguments = ["--file", str(folder / "stripe.sqlite3"), "--webhooks", f"{api}/api/webhooks/stripe"]
    command = dying_with_parent([sys.executable, "-m", "infra.local.stripe", *arguments])
    process = subprocess.Popen(command, env=environ | chosen, stdout=subprocess.PIPE, text=True)
    stack.callback(_end, process)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    address = process.stdout.readline().strip()
    if not address:
        raise StandInFailed("Stripe's stand-in did not start; its log above says why.")
    return {**chosen, "STRIPE_API_BASE": address}


def _child(module: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(dying_with_parent([sys.executable, "-m", module]), env=environ)


def _ready(api: subprocess.Popen[bytes], address: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and api.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1) as answer:  # noqa: S310 - our own address
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _wait(api: subprocess.Popen[bytes]) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return api.wait()
    except KeyboardInterrupt:
        print("\nEnding ...", flush=True)
        return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            process.kill()


def _stripe_line(stripe: str | None) -> str:
    return f"    {stripe:<30} Stripe's stand-in, key {SECRET_KEY} (infra/local/stripe)\n" if stripe else ""


def _welcome(address: str, stripe: str | None) -> str:
    return f"""
  Holiday Peak Hub is running: {address}

    {address}/docs           HTTP reference        {address}/openapi.yaml
    {address}/docs/events    event reference       {address}/asyncapi.yaml
    {address}/docs/states    state diagrams of orders, shipments and more
    {address}/local/messages mails and SMS sent so far
{_stripe_line(stripe)}
    customer@example.com, staff@example.com, admin@example.com   password HolidayPeak!2026

    curl '{address}/api/products?category=electronics&limit=3'

  Ctrl-C ends it.
"""


if __name__ == "__main__":
    raise SystemExit(main())
