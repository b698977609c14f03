"""The exceptions that redis-py raises if Redis is unavailable."""

from redis.exceptions import RedisError

UNAVAILABLE = (RedisError, OSError, RuntimeError)
"""uvloop raises RuntimeError for a write to a closed transport, and redis-py does not translate it."""
