"""Written by `make generate` from `openapi/` and `asyncapi/`. Do not edit."""
