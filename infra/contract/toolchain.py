"""The Node tools that work on the contract (`infra/contract/node/`): installed at first use, when Node is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "node"
_OLDEST_NODE = 20


class ToolchainMissing(Exception):
    """Node or one of its packages is not there; the message says what to do."""


def node() -> str:
    """The path of a Node that is new enough. Raises `ToolchainMissing`."""
    found = shutil.which("node")
    if found is None:
        raise ToolchainMissing(f"Node {_OLDEST_NODE} or newer is not installed")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < _OLDEST_NODE:
        raise ToolchainMissing(f"Node {version} is too old: {_OLDEST_NODE} or newer is needed")
    return found


def install(folder: Path = FOLDER) -> Path:
    """The `node_modules` of a folder, installed as its lock file says. Raises `ToolchainMissing`."""
    modules = folder / "node_modules"
    installed = modules / ".package-lock.json"
    lock = folder / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return modules
    npm = shutil.which("npm")
    if npm is None:
        raise ToolchainMissing("npm is not installed")
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolchainMissing(f"`npm ci` in {folder.name} failed: {done.stderr.strip()[-500:]}")
    installed.touch()
    return modules


def run(script: str, *arguments: str) -> None:
    """Runs a script of `node_modules` with Node. Raises `ToolchainMissing`, and `RuntimeError` with its output."""
    command = [node(), str(install() / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
