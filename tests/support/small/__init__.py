"""A small contract of its own, generated and served by the real parts: what no operation of the shop uses (yet)."""
