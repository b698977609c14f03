"""Delivery of events to the webhook endpoints of accounts and of the provider."""
