"""The schedule of retries, the pauses of failing endpoints, and the limits of both, computed without I/O."""

import datetime as dt
import random
from typing import NamedTuple

RETRY_PAUSES = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (
        5,
        30,
        2 * 60,
        10 * 60,
        30 * 60,
        *(hours * 3_600 for hours in (1, 2, 4, 8, 12, 20, 24)),
    )
)
"""The pauses between attempts of a delivery, about 3 days in total; after one more failure, the delivery is parked."""
JITTER = 0.1
"""The maximum share (10 %) by which a pause varies at random, to retry simultaneous failures at different times."""
FAILURES_UNTIL_PAUSE = 5
"""The number of consecutive failures after which an endpoint is paused; it then gets one request at a time."""
PAUSE_MIN = dt.timedelta(seconds=30)
PAUSE_MAX = dt.timedelta(minutes=30)
RETRY_AFTER_MAX = dt.timedelta(hours=1)
"""The longest pause that a Retry-After header can cause; a longer request is shortened to this pause."""
RETRY_AFTER_STATUSES = frozenset({429, 503})
GONE = 410
SLOW_SECONDS = 2.0
"""The response time from which an endpoint is slow, until a batch has only faster responses."""
DISABLE_AFTER = dt.timedelta(days=5)
"""The time after which an endpoint is disabled if all deliveries fail and the owner does not change the endpoint."""


class EndpointHealth(NamedTuple):
    """The health of an endpoint: failures and pauses since the last success, and whether the last batch was slow."""

    failure_count: int = 0
    pause_count: int = 0
    paused_until: dt.datetime | None = None
    failing_since: dt.datetime | None = None
    is_slow: bool = False

    @property
    def is_degraded(self) -> bool:
        """Whether the endpoint is failing or slow; degraded endpoints get at most half of the concurrent turns."""
        return self.failure_count > 0 or self.is_slow

    @property
    def is_half_open(self) -> bool:
        """Whether the endpoint gets only one request at a time until a request succeeds."""
        return self.failure_count >= FAILURES_UNTIL_PAUSE


def is_delivered(status: int | None) -> bool:
    """Return whether the status means that the receiver accepted the message (2xx)."""
    return status is not None and 200 <= status < 300


def next_attempt(
    attempts: int, now: dt.datetime, *, retry_after_seconds: float | None = None
) -> dt.datetime | None:
    """Return the time of the next attempt, or None if the delivery must be parked.

    `attempts` counts the failed attempts. A Retry-After header of the receiver can delay the next attempt.
    """
    if attempts > len(RETRY_PAUSES):
        return None
    pause = _jittered(RETRY_PAUSES[attempts - 1])
    return now + max(pause, _bounded(retry_after_seconds))


def after_success(health: EndpointHealth) -> EndpointHealth:
    """Return the health after a success: no failures and no pauses."""
    return EndpointHealth(is_slow=health.is_slow)


def after_failure(health: EndpointHealth, now: dt.datetime) -> EndpointHealth:
    """Return the health after one more failure."""
    return health._replace(failure_count=health.failure_count + 1, failing_since=health.failing_since or now)


def after_batch(
    health: EndpointHealth,
    now: dt.datetime,
    *,
    slowest_seconds: float = 0,
    retry_after_seconds: float | None = None,
) -> EndpointHealth:
    """Return the health after a batch.

    The endpoint is slow if a response was slow. It is paused after too many failures, or if it sent Retry-After.
    """
    health = health._replace(is_slow=slowest_seconds >= SLOW_SECONDS)
    paused_until = now + _bounded(retry_after_seconds) if retry_after_seconds else None
    if not health.is_half_open:
        return health._replace(paused_until=paused_until)
    pause = _jittered(min(PAUSE_MAX, PAUSE_MIN * 2 ** min(health.pause_count, 16)))
    paused_until = max(now + pause, paused_until or now)
    return health._replace(pause_count=health.pause_count + 1, paused_until=paused_until)


def should_disable(health: EndpointHealth, enabled_at: dt.datetime, now: dt.datetime) -> bool:
    """Return whether all deliveries have failed for `DISABLE_AFTER`, without a change of the endpoint in this time."""
    if health.failing_since is None:
        return False
    return now - max(health.failing_since, enabled_at) >= DISABLE_AFTER


def _bounded(retry_after_seconds: float | None) -> dt.timedelta:
    return dt.timedelta(seconds=min(retry_after_seconds or 0, RETRY_AFTER_MAX.total_seconds()))


def _jittered(pause: dt.timedelta) -> dt.timedelta:
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
