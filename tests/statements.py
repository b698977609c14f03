"""The statements that reach PostgreSQL through the domain's pool, so that a test can count them.

with statements.counted() as seen:
    await graphql("{ products { code } }")
assert len(seen) == 2  # the API key's account, and the products
"""

import contextlib
import logging
from collections.abc import Iterator

_LOG = logging.getLogger("tortoise.db_client")


class _Listener(logging.Handler):
    """Keeps the SQL of each statement; BEGIN and COMMIT are not logged, and so not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == "%s: %s" and isinstance(record.args, tuple):
            self.seen.append(str(record.args[0]))


@contextlib.contextmanager
def counted() -> Iterator[list[str]]:
    """The SQL of the statements that are run in the block, in their order, by whichever task."""
    listener, level, propagates = _Listener(), _LOG.level, _LOG.propagate
    _LOG.addHandler(listener)
    _LOG.setLevel(logging.DEBUG)
    _LOG.propagate = False
    try:
        yield listener.seen
    finally:
        _LOG.removeHandler(listener)
        _LOG.setLevel(level)
        _LOG.propagate = propagates
