"""The two documentation bundles that the reference pages load, pinned here by version and SHA-256.

`python -m infra.contract.vendor` fetches them with `npm pack` into `generated/docs/assets/`; with `--check` it only
compares what is committed, without a network. To upgrade: change a version, run it, copy the digest that the refusal
names after looking at the release notes, run it again, and look at both pages (`tests/support/browser.py`).
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "generated" / "docs" / "assets"


class VendorError(Exception):
    """A vendored file is missing or is not the pinned one."""


@dataclass(frozen=True)
class Asset:
    """One file of a package, the name it is served under, and the digest it must have."""

    member: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Package:
    """One npm package at one version, and the files taken from it."""

    name: str
    version: str
    assets: tuple[Asset, ...]


PACKAGES = (
    Package(
        "@scalar/api-reference",  # MIT; the package carries no licence file, it is in `licences/scalar.txt`
        "1.72.1",
        (
            Asset(
                "dist/browser/standalone.js",
                "scalar.js",
                "bf091006bdc3af6067af77c2f534812e3e633e94a94e87138069f570f33b762c",
            ),
        ),
    ),
    Package(
        "@asyncapi/react-component",  # Apache-2.0
        "3.2.1",
        (
            Asset(
                "browser/standalone/index.js",
                "asyncapi.js",
                "719f29a62127c5c406af8b3b016167d69e43624200354966cc4997bdce5e4c54",
            ),
            Asset(
                "styles/default.min.css",
                "asyncapi.css",
                "c8093f9b6441559267845abc24611f7721d075e4f278a8143857bcdc348df410",
            ),
            Asset(
                "LICENSE", "asyncapi.LICENSE.txt", "43070e2d4e532684de521b885f385d0841030efa2b1a20bafb76133a5e1379c1"
            ),
            Asset(
                "browser/standalone/index.js.LICENSE.txt",
                "index.js.LICENSE.txt",
                "d31d55d9a7c4009c45af4cd2d84e15e88518796c4c1f95cdc38acc605f3d6549",
            ),
        ),
    ),
)
_LICENCES = {"scalar.LICENSE.txt": Path(__file__).parent / "licences" / "scalar.txt"}


def names() -> Iterator[str]:
    """The files in `generated/docs/assets/` that come from here."""
    yield from _LICENCES
    for package in PACKAGES:
        yield from (asset.name for asset in package.assets)


def faults(assets: Path = ASSETS) -> Iterator[str]:
    """What is wrong with the committed files: each one that is missing or is not the pinned one."""
    for package in PACKAGES:
        for asset in package.assets:
            path = assets / asset.name
            if not path.is_file():
                yield f"{asset.name}: missing"
            elif _digest(path.read_bytes()) != asset.sha256:
                yield f"{asset.name}: not the file of {package.name} {package.version}"
    for name, source in _LICENCES.items():
        if not (assets / name).is_file() or (assets / name).read_bytes() != source.read_bytes():
            yield f"{name}: missing or changed"


def refresh(assets: Path = ASSETS) -> None:
    """Fetches every package and writes its files. Raises `VendorError` when a digest is not the pinned one."""
    assets.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            _unpack(package, _fetch(package, Path(folder)), assets)
    for name, source in _LICENCES.items():
        (assets / name).write_bytes(source.read_bytes())


def _fetch(package: Package, folder: Path) -> Path:
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{package.name}@{package.version}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except FileNotFoundError:
        raise VendorError("npm is not installed; it is needed only to refresh these files") from None
    except subprocess.CalledProcessError as error:
        raise VendorError(f"{package.name} {package.version}: npm pack failed\n{error.stderr}") from error
    return next(folder.glob("*.tgz"))


def _unpack(package: Package, archive: Path, assets: Path) -> None:
    with tarfile.open(archive) as tar:
        for asset in package.assets:
            member = tar.extractfile(f"package/{asset.member}")
            if member is None:
                raise VendorError(f"{package.name} {package.version} has no {asset.member}")
            content = member.read()
            found = _digest(content)
            if found != asset.sha256:
                raise VendorError(f"{package.name} {package.version}: {asset.member} has SHA-256 {found}")
            (assets / asset.name).write_bytes(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str]) -> int:
    """Refreshes the files, or with `--check` compares them; answers the exit code."""
    try:
        if "--check" not in arguments:
            refresh()
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    wrong = list(faults())
    print("\n".join(wrong) if wrong else "vendored files: ok", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
