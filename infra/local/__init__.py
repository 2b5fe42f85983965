"""One machine's stand-ins and helpers: launcher, embedded Valkey, demo data, test doubles of partners."""
