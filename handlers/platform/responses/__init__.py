"""Answers kept for a while (`x-cache` in the contract): in this process, and beside it in Redis for all processes."""
