"""ASGI middleware, one concern in each module."""
