"""How much a key may have under way at once in this process."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from graphql_api import over_http

RETRY_SECONDS = 10


class Crowd:
    """Places of one kind, so many for each key."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """Takes a place as long as the block runs; raises over_http.Refused if all are taken."""
        if self._taken[caller] >= self._most:
            raise over_http.Refused(
                429,
                "TOO_MANY_AT_ONCE",
                f"This key has {self._most} {self._name} under way, and may have no more.",
                {"Retry-After": str(RETRY_SECONDS)},
            )
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
