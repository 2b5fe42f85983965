"""Address books, and what a postal address has to be."""
