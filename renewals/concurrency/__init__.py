"""Helpers for asyncio tasks and caches that know nothing of the domain."""
