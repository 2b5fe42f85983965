#!/usr/bin/env bash
# Runs the suites of stores and event buses on real services, and says what must be set. Called by `make test-azure`.
set -euo pipefail
cd "$(dirname "$0")/../.."
cat <<'TEXT'
Documents: the conformance and differential suites on an account of Azure Cosmos DB for NoSQL or on Microsoft's emulator.
  COSMOS_ACCOUNT_URI   https://<account>.documents.azure.com:443/ (serverless is cheapest), or the emulator's address
  COSMOS_KEY           its key; without it Entra ID (`az login`, managed identity), with a role that may create databases
Each test makes a database hph-test-<hex> and drops it. Left out there: time to live (nobody moves an account's clock),
faults, splits and lagging replicas (the stand-in's), and the figures of request units, which are modelled.

Events: the conformance suite of the bus on a namespace of Azure Event Hubs (Standard) or on Microsoft's emulator.
  EVENT_HUB_CONNECTION_STRING   of the namespace, with a policy that may send and listen; the emulator's as it prints it
Its hubs and consumer groups must be there before (the SDK cannot make any): a-events with 4 partitions, b-events with 2,
each with the groups readers, first, second, half, all. The emulator takes infra/azure/event-hubs-emulator.json as its
Config.json (written to Microsoft's documentation, not tried). In a namespace:
  az eventhubs eventhub create -g <group> --namespace-name <namespace> -n a-events --partition-count 4
  az eventhubs eventhub consumer-group create -g <group> --namespace-name <namespace> --eventhub-name a-events -n readers
What earlier runs left in the hubs counts as read. Left out there: the broker's faults and chaos (the stand-in's).
Production's hubs: one for each topic of generated/events.py (TOPICS: partitions, retention), with the consumer groups
of GROUPS that read it; checkpoints and leases are in Cosmos DB (`checkpoints`, `leases`), no blob storage is needed.
TEXT
ran=0
if [[ -n "${COSMOS_ACCOUNT_URI:-}" ]]; then
  .venv/bin/pytest tests/platform/store -k "cosmos-account or all_stores" \
    --deselect tests/platform/store/test_charges.py --timeout=1800 -rs "$@"
  ran=1
else
  echo "Skipped, documents: COSMOS_ACCOUNT_URI is not set."
fi
if [[ -n "${EVENT_HUB_CONNECTION_STRING:-}" ]]; then
  .venv/bin/pytest tests/platform/bus/test_bus.py -k "eventhubs-account" --timeout=1800 -rs "$@"
  ran=1
else
  echo "Skipped, events: EVENT_HUB_CONNECTION_STRING is not set."
fi
[[ $ran == 1 ]] || exit 2
