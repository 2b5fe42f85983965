"""A stand-in for Azure Event Hubs on the wire: AMQP 1.0, enough for the real SDKs. See README.md."""
