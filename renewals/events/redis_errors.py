"""What redis-py raises where Redis cannot be reached or does not answer."""

from redis.exceptions import RedisError

UNAVAILABLE = (RedisError, OSError, RuntimeError)
"""RuntimeError is uvloop's, which redis-py lets through: for a command on a transport that its peer has just closed."""
