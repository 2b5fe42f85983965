"""Chaos: everything that can go wrong between a change and its effect, on real adapters, by seed."""
