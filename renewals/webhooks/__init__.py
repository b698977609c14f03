"""Delivery of events to the endpoints of customers and of the provider."""
