"""A wire-level stand-in for Azure Cosmos DB for NoSQL: a test double, not a database. README.md lists its limits."""
