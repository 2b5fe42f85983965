"""Stock: one document per variant, and the holds against it."""
