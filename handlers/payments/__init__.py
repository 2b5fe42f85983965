"""Payments and refunds of orders. `process.py` and `refunds.py` are what the order process calls."""
