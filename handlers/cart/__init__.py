"""Carts of customers and guests."""
