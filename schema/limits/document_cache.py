"""Caches of values by the text of a document, and the cache of parsed documents."""

from collections import OrderedDict
from typing import Generic, TypeVar

from graphql import DocumentNode, GraphQLError, parse

from renewals.concurrency import lru_cache

Value = TypeVar("Value")

DOCUMENTS_MAX = 200
"""Maximum number of documents in each LRU cache of parsed, measured or validated documents.

It is also the maximum number of operations in the LRU cache of compiled operations.
"""
CHARACTERS_KEPT_MAX = 5_000
"""Maximum length of a document in an LRU cache; a document of this length takes about 100 kB there."""


class DocumentCache(Generic[Value]):
    """An LRU cache by the text of a document. The latest document that is too long for the cache is kept as well."""

    def __init__(self) -> None:
        self._short: OrderedDict[str, Value] = OrderedDict()
        self._long: tuple[str, Value] | None = None

    def find(self, query: str) -> Value | None:
        """Return the cached value of a document, or None."""
        long = self._long
        if long is not None and long[0] == query:
            return long[1]
        return lru_cache.find(self._short, query)

    def keep(self, query: str, value: Value) -> None:
        """Cache the value of a document."""
        if len(query) > CHARACTERS_KEPT_MAX:
            self._long = (query, value)
        else:
            lru_cache.keep(self._short, query, value, size_max=DOCUMENTS_MAX)


_parsed: DocumentCache[DocumentNode | GraphQLError] = DocumentCache()


def parse_document(query: str) -> DocumentNode:
    """Return the parsed document, from a cache; raise GraphQLError for a syntax error."""
    result = _parsed.find(query)
    if result is None:
        try:
            result = parse(query)
        except GraphQLError as error:
            result = error
        _parsed.keep(query, result)
    if isinstance(result, GraphQLError):
        raise result.with_traceback(None)
    return result
