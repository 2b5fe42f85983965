"""Banners of the shop window."""
