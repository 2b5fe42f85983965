"""Stand-in for Stripe's API on the wire, for local mode and tests. README.md says what it models and what not."""

from typing import Final

SECRET_KEY: Final = "sk_test_standin"  # noqa: S105 - opens nothing but this stand-in
PUBLISHABLE_KEY: Final = "pk_test_standin"
