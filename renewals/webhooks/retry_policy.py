"""When a webhook is sent again, when its endpoint is left in peace, and when either is given up. Pure."""

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
"""Between one try of a delivery and the next: three days in all, then it is parked."""
JITTER = 0.1
"""A pause is longer or shorter by up to this part of it, so that what failed together does not return together."""
FAILURES_UNTIL_PAUSE = 5
"""After so many failures one after the other the endpoint gets nothing for a while, and then one try."""
PAUSE_MIN = dt.timedelta(seconds=30)
PAUSE_MAX = dt.timedelta(minutes=30)
RETRY_AFTER_MAX = dt.timedelta(hours=1)
"""No endpoint can ask for a longer pause."""
RETRY_AFTER_STATUSES = frozenset({429, 503})
GONE = 410
SLOW_SECONDS = 2.0
"""An answer that took so long makes its endpoint a slow one, until a batch has none such."""
DEAD_AFTER = dt.timedelta(days=5)
"""An endpoint at which nothing has succeeded for so long is disabled."""


class EndpointHealth(NamedTuple):
    """How an endpoint fares: the failures since its last success, the pauses it was given for them, and whether an
    answer of its last batch was slow."""

    failure_count: int = 0
    pause_count: int = 0
    paused_until: dt.datetime | None = None
    failing_since: dt.datetime | None = None
    is_slow: bool = False

    @property
    def is_degraded(self) -> bool:
        """Whether it may hold a turn for long, and so has to share half of them with others of its kind."""
        return self.failure_count > 0 or self.is_slow

    @property
    def is_half_open(self) -> bool:
        """Whether it gets but one request at a time, to see whether it is back."""
        return self.failure_count >= FAILURES_UNTIL_PAUSE


def is_delivered(status: int | None) -> bool:
    """Whether the receiver has taken it."""
    return status is not None and 200 <= status < 300


def next_attempt(
    attempts: int, now: dt.datetime, *, asked_seconds: float | None = None
) -> dt.datetime | None:
    """When to send again after so many tries, not before the receiver asked for; None: never, it is to be parked."""
    if attempts > len(RETRY_PAUSES):
        return None
    pause = _jittered(RETRY_PAUSES[attempts - 1])
    return now + max(pause, _bounded(asked_seconds))


def after_success(health: EndpointHealth) -> EndpointHealth:
    return EndpointHealth(is_slow=health.is_slow)


def after_failure(health: EndpointHealth, now: dt.datetime) -> EndpointHealth:
    """The health after one more failure."""
    return health._replace(failure_count=health.failure_count + 1, failing_since=health.failing_since or now)


def after_batch(
    health: EndpointHealth,
    now: dt.datetime,
    *,
    slowest_seconds: float = 0,
    asked_seconds: float | None = None,
) -> EndpointHealth:
    """The health after a batch: slow if an answer was, and with a pause if it failed too often, or asked for one."""
    health = health._replace(is_slow=slowest_seconds >= SLOW_SECONDS)
    paused_until = now + _bounded(asked_seconds) if asked_seconds else None
    if not health.is_half_open:
        return health._replace(paused_until=paused_until)
    pause = _jittered(min(PAUSE_MAX, PAUSE_MIN * 2 ** min(health.pause_count, 16)))
    later = max(now + pause, paused_until or now)
    return health._replace(pause_count=health.pause_count + 1, paused_until=later)


def should_disable(health: EndpointHealth, enabled_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether nothing has succeeded for so long, since it was last enabled, that it is to be disabled."""
    if health.failing_since is None:
        return False
    return now - max(health.failing_since, enabled_at) >= DEAD_AFTER


def _bounded(asked_seconds: float | None) -> dt.timedelta:
    return dt.timedelta(seconds=min(asked_seconds or 0, RETRY_AFTER_MAX.total_seconds()))


def _jittered(pause: dt.timedelta) -> dt.timedelta:
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
