"""Instances and bundles: queries, selections, registration, policies, expiry and release."""
