"""The room of system administration."""
