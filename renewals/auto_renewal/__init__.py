"""Automatic renewal: the hourly runs that renew all due instances (rules 20 to 24)."""
