"""Stand-in for Stripe's API on the wire, for local mode and tests. README.md says what it models and what not."""
