"""Wake-ups and names of processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handlers.platform import wake
from handlers.platform.process import has_ended, new_owner
from handlers.platform.wake import Wake


async def test_a_ring_wakes_every_listener(tmp_path: Path) -> None:
    first, second = Wake(tmp_path / "file"), Wake(tmp_path / "file")
    bells = [first.listen(), second.listen()]
    for bell in bells:
        await bell.wait(5)  # the first returns at once: something may have happened before
    waiting = [asyncio.create_task(bell.wait(5)) for bell in bells]
    await asyncio.sleep(0.01)
    started = time.perf_counter()
    await asyncio.to_thread(first.ring)
    await asyncio.gather(*waiting)
    assert time.perf_counter() - started < 1
    for bell in bells:
        bell.close()
        bell.close()


async def test_many_rings_are_one_and_none_is_lost(tmp_path: Path) -> None:
    bells = Wake(tmp_path / "file")
    bell = bells.listen()
    await bell.wait(5)
    for _ in range(2000):
        bells.ring()  # more than the socket takes
    await bell.wait(5)
    started = time.perf_counter()
    await bell.wait(0.05)
    assert time.perf_counter() - started >= 0.045
    bell.close()


async def test_sockets_of_the_dead_are_removed(tmp_path: Path) -> None:
    bells = Wake(tmp_path / "file")
    code = (
        "import asyncio, os, sys; from pathlib import Path; from handlers.platform.wake import Wake\n"
        "async def main(): Wake(Path(sys.argv[1])).listen(); os._exit(0)\n"
        "asyncio.run(main())"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(tmp_path / "file")], check=True)
    assert len(os.listdir(tmp_path / "file.wake")) == 1
    bells.ring()
    assert os.listdir(tmp_path / "file.wake") == []


async def test_long_paths_have_their_sockets_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20)
    folder.mkdir()
    bells = Wake(folder / "file")
    bell = bells.listen()
    await bell.wait(5)
    bells.ring()
    started = time.perf_counter()
    await bell.wait(5)
    assert time.perf_counter() - started < 1
    bell.close()
    assert not (folder / "file.wake").exists()


async def test_without_sockets_it_polls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file.wake").write_text("no folder")
    bell = Wake(tmp_path / "file").listen()
    assert "polling" in caplog.text
    await bell.wait(5)
    started = time.perf_counter()
    await bell.wait(5)
    assert wake.POLL * 0.9 <= time.perf_counter() - started < 1
    Wake(tmp_path / "file").ring()
    bell.close()


def test_a_process_knows_whether_another_has_ended() -> None:
    assert not has_ended(new_owner())
    assert new_owner() != new_owner()
    child = subprocess.Popen(
        [sys.executable, "-c", "from handlers.platform.process import new_owner; print(new_owner()); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    name = child.stdout.readline().strip()
    assert not has_ended(name)
    child.kill()
    time.sleep(0.05)
    assert has_ended(name)  # a zombie has ended too
    child.communicate()
    assert has_ended(name)


def test_what_cannot_be_told_counts_as_alive() -> None:
    host, namespace, pid, started, chance = new_owner().split("~")
    assert not has_ended("~".join(("elsewhere", namespace, "1", "1", chance)))
    assert not has_ended("~".join((host, "pid:[1]", pid, "1", chance)))
    assert not has_ended("")
    assert has_ended("~".join((host, namespace, pid, started + "1", chance)))


def test_without_proc_the_number_of_the_process_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    host, namespace, _, _, chance = new_owner().split("~")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert not has_ended("~".join((host, namespace, str(os.getpid()), "", chance)))
    assert not has_ended("~".join((host, namespace, "1", "", chance)))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert has_ended("~".join((host, namespace, str(gone.pid), "", chance)))
