"""Orders and the process that moves them: `saga.py` is its table, `process.py` the only writer of an order's status."""
