"""Writes everything under `generated/` from the contract: `python -m infra.contract.generate [--check]`.

The same input gives the same bytes. `--check` writes nothing, prints what is stale as a diff and what no step writes,
and exits 1.
"""

from __future__ import annotations

import argparse
import difflib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from infra.contract import bundle, consumers, containers, docs, models, policy, routing, typescript, vendor

ROOT = bundle.ROOT
_BANNER = '"""Written by `make generate` from `openapi/` and `asyncapi/`. Do not edit."""\n'
_BUILT = frozenset({"__pycache__", "node_modules", "dist"})
Step = Callable[[Path, bundle.Json, bundle.Json], None]


def _bundles(out: Path, http: bundle.Json, events: bundle.Json) -> None:
    for name, document in (("openapi", http), ("asyncapi", events)):
        (out / f"{name}.yaml").write_text(bundle.dump(document), encoding="utf-8")
        (out / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _python(out: Path, http: bundle.Json, events: bundle.Json) -> None:
    (out / "__init__.py").write_text(_BANNER, encoding="utf-8")
    (out / "errors.py").write_text(policy.render_errors(http), encoding="utf-8")
    (out / "access.py").write_text(policy.render_access(http), encoding="utf-8")
    (out / "params.py").write_text(routing.render_params(http), encoding="utf-8")
    (out / "routing.py").write_text(routing.render_routing(http), encoding="utf-8")
    layout = bundle.load(ROOT / "infra" / "containers.yaml")
    (out / "containers.py").write_text(containers.render(layout), encoding="utf-8")


def _models(out: Path, http: bundle.Json, events: bundle.Json) -> None:
    models.write_models(http, out / "models.py")
    models.write_views(http, out / "views.py")
    models.write_events(events, out / "events.py")
    (out / "consumers.py").write_text(consumers.render_consumers(events, models.data_schemas(events)), encoding="utf-8")


def _typescript(out: Path, http: bundle.Json, events: bundle.Json) -> None:
    typescript.write_typescript(out / "openapi.yaml", out / "typescript")


def _docs(out: Path, http: bundle.Json, events: bundle.Json) -> None:
    docs.write_docs(http, events, out / "docs")
    policies = {
        "/docs": docs.CONTENT_SECURITY_POLICY,
        "/docs/events": docs.CONTENT_SECURITY_POLICY_EVENTS,
        "/docs/states": docs.CONTENT_SECURITY_POLICY_STATES,
    }
    (out / "docs" / "policies.json").write_text(json.dumps(policies, indent=1) + "\n", encoding="utf-8")


STEPS: dict[str, Step] = {
    "bundles": _bundles,
    "python": _python,
    "models": _models,
    "docs": _docs,
    "typescript": _typescript,
}


def generate(out: Path, only: frozenset[str] = frozenset(STEPS), root: Path = ROOT) -> None:
    """Writes the artefacts of the named steps below `out`. Raises `ContractError` when the sources do not bundle."""
    http, events = bundle.bundle_openapi(root), bundle.bundle_asyncapi(root)
    out.mkdir(parents=True, exist_ok=True)
    for name, step in STEPS.items():
        if name in only:
            started = time.monotonic()
            step(out, http, events)
            print(f"  {name:<12}{time.monotonic() - started:5.1f} s", flush=True)


def stale(fresh: Path, committed: Path) -> list[str]:
    """Unified diffs of every file that is not as the sources say, in order of name."""
    findings: list[str] = []
    for path in sorted(p for p in fresh.rglob("*") if p.is_file()):
        name = path.relative_to(fresh)
        other = committed / name
        if other.is_file() and other.read_bytes() == path.read_bytes():
            continue
        old = other.read_text(encoding="utf-8", errors="replace").splitlines() if other.is_file() else []
        new = path.read_text(encoding="utf-8", errors="replace").splitlines()
        diff = difflib.unified_diff(
            old, new, f"committed generated/{name}", f"fresh generated/{name}", lineterm="", n=1
        )
        findings.append("\n".join(list(diff)[:60]))
    return findings


def unwritten(fresh: Path, committed: Path) -> list[str]:
    """The files under `generated/` that nothing writes: left over, or written by hand."""
    vendored = {committed / "docs" / "assets" / name for name in vendor.names()}
    found = sorted(p for p in committed.rglob("*") if p.is_file() and not _BUILT.intersection(p.parts))
    return [
        f"generated/{path.relative_to(committed)}: nothing writes this file; remove it"
        for path in found
        if path not in vendored and not (fresh / path.relative_to(committed)).exists()
    ]


def main() -> int:
    """Command line: writes, or with `--check` compares. Answers the exit code."""
    parser = argparse.ArgumentParser(description="Write generated/ from the contract")
    parser.add_argument(
        "--check", action="store_true", help="compare instead of writing; exit 1 when something is stale"
    )
    parser.add_argument("--skip", nargs="*", default=[], choices=list(STEPS), help="steps to leave out")
    options = parser.parse_args()
    only = frozenset(STEPS) - frozenset(options.skip)
    try:
        if not options.check:
            generate(ROOT / "generated", only)
            return 0
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder) / "generated"
            if "typescript" in only:
                # Without Node the types stay as they are.
                (fresh / "typescript" / "src").mkdir(parents=True)
                shutil.copy(ROOT / "generated" / "typescript" / "src" / "schema.ts", fresh / "typescript" / "src")
            generate(fresh, only)
            findings = stale(fresh, ROOT / "generated")
            if only == frozenset(STEPS):
                findings += unwritten(fresh, ROOT / "generated") + list(vendor.faults())
    except bundle.ContractError as error:
        print(error, file=sys.stderr)
        return 1
    if findings:
        print("\n\n".join(findings) + f"\n\n{len(findings)} files are stale: run `make generate`.", file=sys.stderr)
        return 1
    print("generated/ is up to date")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
