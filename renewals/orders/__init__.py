"""Quotes and orders: renew instances or unify their expiries."""
