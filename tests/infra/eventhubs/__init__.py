"""The stand-in for Event Hubs."""
