"""Instances and bundles: reads, selections, registration, policies, expiry and release."""
