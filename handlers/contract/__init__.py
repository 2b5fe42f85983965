"""The small runtime that `generated/` calls: parameters, bodies, calls, replies, routing, the error envelope."""
