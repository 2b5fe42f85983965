#!/usr/bin/env bash
# Resolves pyproject.toml into two hash-checked sets that hold for every supported Python. Writes no index address.
set -euo pipefail
cd "$(dirname "$0")/../.."
compile() { .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links "$@"; }
compile pyproject.toml -o infra/locks/run.txt
compile pyproject.toml --group dev -c infra/locks/run.txt -o infra/locks/dev.txt
wc -l infra/locks/*.txt
