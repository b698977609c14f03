"""The exceptions that redis-py raises if Redis is unavailable."""

from redis.exceptions import RedisError

UNAVAILABLE = (RedisError, OSError, RuntimeError)
"""The exceptions to catch.

uvloop raises RuntimeError for a write to a closed transport, and redis-py does not translate this error.
"""
