"""The embedded Valkey: one per folder, whoever asks, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.valkey import ValkeyFailed, ValkeyServer, start

# Starts the server of a folder, says so, and waits to be told to end.
CHILD = """
import sys
from pathlib import Path
from infra.local.valkey import start
server = start(Path(sys.argv[1]))
print(server.pid, server.owned, server.url, flush=True)
sys.stdin.readline()
server.stop()
"""


def child(folder: Path) -> subprocess.Popen[str]:
    """Another process that asks for the server of a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> tuple[int, bool, str]:
    """What a child says of its server: process id, whether it owns it, address."""
    assert process.stdout is not None
    pid, owned, url = process.stdout.readline().split()
    return int(pid), owned == "True", url


def answers(server_url: str) -> bool:
    """Whether a server answers there."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(server_url.removeprefix("unix://"))
            client.sendall(b"PING\r\n")
            return client.recv(64) == b"+PONG\r\n"
    except OSError:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    """Waits for something that must come true soon."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_starts_and_stops(tmp_path: Path) -> None:
    server = start(tmp_path / "valkey")
    assert server.owned
    assert answers(server.url)
    server.stop()
    server.stop()
    assert not answers(server.url)
    assert not [path for path in (tmp_path / "valkey").iterdir() if path.suffix in (".rdb", ".aof", ".sock")]


def test_starts_again_after_a_stale_socket(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "valkey.sock"))
    stale.close()
    server = start(tmp_path)
    assert answers(server.url)
    server.stop()


def test_two_processes_at_once_share_one_server(tmp_path: Path) -> None:
    children = [child(tmp_path), child(tmp_path)]
    try:
        found = [said(process) for process in children]
        assert len({pid for pid, _, _ in found}) == 1
        assert sorted(owned for _, owned, _ in found) == [False, True]
        assert all(answers(url) for _, _, url in found)
    finally:
        for process in children:
            process.communicate("\n", timeout=10)
    assert not answers(found[0][2])


def test_one_that_shares_does_not_stop_it(tmp_path: Path) -> None:
    owner = start(tmp_path)
    process = child(tmp_path)
    assert said(process)[1] is False
    process.communicate("\n", timeout=10)
    assert answers(owner.url)
    owner.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_killed_parent_takes_it_along(tmp_path: Path) -> None:
    process = child(tmp_path)
    _, _, url = said(process)
    process.kill()
    process.communicate(timeout=10)
    assert eventually(lambda: not answers(url))
    server = start(tmp_path)
    assert server.owned
    assert answers(server.url)
    server.stop()


def test_an_orphan_is_adopted(tmp_path: Path) -> None:
    # As on a system without the parent-death signal: the server runs, and its owner is no more.
    owner = start(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "valkey.owner").write_text(str(gone.pid), "ascii")
    adopted = start(tmp_path)
    assert adopted.owned
    assert adopted.pid == owner.pid
    # Ours is its parent, so that it stays a zombie until we look; it has stopped answering all the same.
    os.kill(adopted.pid, signal.SIGTERM)
    assert eventually(lambda: not answers(owner.url))
    owner.stop()


def test_a_long_path_still_makes_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("deep-" * 20) / ("deeper-" * 10)
    server: ValkeyServer = start(folder)
    assert answers(server.url)
    assert start(folder).owned is False
    server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "valkey.sock").mkdir()
    with pytest.raises((ValkeyFailed, OSError)):
        start(tmp_path)
