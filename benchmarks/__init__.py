"""Measurements, not tests: each prints what it did, on what, and how long it took."""
