"""Parcels: the carrier is chosen from a table, the shipment is its document."""
