"""What every room stands on: documents, events, tokens, limits, errors, money. Knows no room."""
