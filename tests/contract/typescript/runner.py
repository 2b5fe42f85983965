"""Compiles and runs the TypeScript of this folder with the client: `run_scenario(base_url, origin)`."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

from infra.contract import toolchain
from infra.contract.bundle import ROOT

CLIENT = ROOT / "generated" / "typescript"
HERE = Path(__file__).resolve().parent
_COMPILER = "typescript/bin/tsc"


def check_types() -> str:
    """What the compiler says about the client and this folder, empty when it is content. Raises `ToolchainMissing`."""
    compiler = toolchain.install(CLIENT) / _COMPILER
    command = [toolchain.node(), str(compiler), "--project", str(HERE), "--noEmit"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def run_scenario(base_url: str, origin: str) -> dict[str, Any]:
    """What the scenario saw of the API at an address, called from a page of an origin. Raises `ToolchainMissing`."""
    return run_script("scenario", base_url, origin)


def run_script(name: str, *arguments: str) -> dict[str, Any]:
    """What a script of this folder prints, as JSON. Raises `ToolchainMissing`."""
    modules = toolchain.install(CLIENT)
    out = modules / f".run-{uuid.uuid4().hex}"  # beside the client's packages, where Node finds them
    compile_it = [toolchain.node(), str(modules / _COMPILER), "--project", str(HERE), "--noCheck", "--outDir", str(out)]
    try:
        subprocess.run(compile_it, capture_output=True, text=True, check=True)
        (out / "package.json").write_text('{ "type": "module" }', encoding="utf-8")
        command = [toolchain.node(), str(out / HERE.relative_to(ROOT) / f"{name}.js"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if done.returncode:
        raise AssertionError(f"{name}.ts failed:\n{done.stderr[-3000:]}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
