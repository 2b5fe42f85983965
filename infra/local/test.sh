#!/usr/bin/env bash
# Runs every test with branch coverage, then holds coverage to its floors. Called by `make test`.
set -euo pipefail
cd "$(dirname "$0")/../.."
BIN=.venv/bin
rm -f .coverage .coverage.*
"$BIN/coverage" run -m pytest "$@"
"$BIN/coverage" combine --quiet
echo "Coverage of handlers/ by lines and branches (files with gaps only):"
"$BIN/coverage" report --fail-under=90
"$BIN/coverage" report --include='handlers/*/rules.py' --fail-under=100 >/dev/null ||
  { echo "rules.py files must be covered to 100 %:"; "$BIN/coverage" report --include='handlers/*/rules.py'; exit 1; }
