"""Signing up, in and out: sessions, mails of proof, second factor, identity providers, public keys."""
