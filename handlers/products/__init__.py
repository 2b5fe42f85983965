"""The catalogue: lists, search, facets, details, administration of products."""
