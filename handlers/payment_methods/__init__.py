"""Payment methods that customers have saved. The cards themselves are at Stripe."""
