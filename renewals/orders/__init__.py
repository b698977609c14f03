"""Quotes and orders that renew instances or unify their expiries."""
