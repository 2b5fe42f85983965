"""Command line: `python -m infra.contract.lint [--rules]`. One line per finding; exit code 1 when there is one."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from infra.contract.bundle import ROOT
from infra.contract.lint.contract import read
from infra.contract.lint.rules import RULES, findings


def main() -> int:
    """Prints every finding and answers the exit code."""
    parser = argparse.ArgumentParser(description="Check the contract documents against the house rules")
    parser.add_argument("--rules", action="store_true", help="print the rules instead of checking")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder that holds openapi/ and asyncapi/")
    options = parser.parse_args()
    if options.rules:
        print("\n".join(f"{entry.name:<24}{entry.holds}" for entry in RULES.values()))
        return 0
    started = time.monotonic()
    contract = read(options.root)
    found = findings(contract)
    for finding in found:
        print(finding)
    if found:
        print(f"{len(found)} findings", file=sys.stderr)
        return 1
    operations, seconds = len(contract.operations), time.monotonic() - started
    print(f"contract: {operations} operations, {len(RULES)} rules, no finding ({seconds:.1f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
