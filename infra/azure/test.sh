#!/usr/bin/env bash
# Runs the suites of the stores on real services, and says what must be set for that. Called by `make test-azure`.
set -euo pipefail
cd "$(dirname "$0")/../.."
cat <<'TEXT'
Documents: the conformance and differential suites on an account of Azure Cosmos DB for NoSQL or on Microsoft's emulator.
  COSMOS_ACCOUNT_URI   https://<account>.documents.azure.com:443/ (serverless is cheapest), or the emulator's address
  COSMOS_KEY           its key; without it Entra ID (`az login`, managed identity), with a role that may create databases
Each test makes a database hph-test-<hex> and drops it. Left out there: time to live (nobody moves an account's clock),
faults, splits and lagging replicas (the stand-in's), and the figures of request units, which are modelled.
TEXT
if [[ -z "${COSMOS_ACCOUNT_URI:-}" ]]; then
  echo "Skipped: COSMOS_ACCOUNT_URI is not set."
  exit 2
fi
exec .venv/bin/pytest tests/platform/store -k "cosmos-account or all_stores" --deselect tests/platform/store/test_charges.py \
  --timeout=1800 -rs "$@"
