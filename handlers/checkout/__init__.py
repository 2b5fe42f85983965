"""Quotes, promo codes, and their administration."""
