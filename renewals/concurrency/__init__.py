"""Helpers for asyncio tasks and caches, independent of the rest of `renewals`."""
