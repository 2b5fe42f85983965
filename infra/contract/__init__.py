"""From the contract documents to everything under `generated/`: bundle, lint, generate, compare."""
