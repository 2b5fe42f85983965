"""Accounts: profile, preferences, rewards, password, second factor."""
