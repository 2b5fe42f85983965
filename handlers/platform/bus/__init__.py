"""Events between rooms, processes and agents: the port and its adapters."""
