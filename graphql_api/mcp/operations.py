"""The documents that the tools send: the operations of `examples/console_queries`."""

import re
from functools import cache

from graphql_api.graphql import console_queries

_OPERATION = re.compile(r"^(?:query|mutation) (\w+)", re.MULTILINE)


@cache
def documents() -> dict[str, str]:
    """Return the document of each operation by the operation's name."""
    return {name: text for text in console_queries.read_all() for name in _OPERATION.findall(text)}
