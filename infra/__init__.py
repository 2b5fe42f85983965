"""What the application runs on: contract tooling, local stand-ins, infrastructure. Never imported by `handlers`."""
