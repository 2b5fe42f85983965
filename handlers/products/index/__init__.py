"""The catalogue in memory: what lists, searches and facets are answered from (decisions 30 and 69). Pure, no I/O.

Every product has a slot, a small integer. A set of products is one Python integer with a bit for each slot, so that
filters are `&` and `|`, and counts are `bit_count()`, each a few microseconds at 100,000 products.
"""
