"""The document of a request: its text, a trusted document, or an automatic persisted query (APQ)."""

from collections import OrderedDict

from graphql import GraphQLError

from graphql_api import errors
from graphql_api.graphql import http_request
from graphql_api.graphql.trusted_documents import TrustedDocuments, is_sha256, sha256_of
from renewals.concurrency import lru_cache
from renewals.domain.messages import Message
from schema.execution import schema as execution_schema
from schema.limits import document_cache

DOCUMENT_OVERHEAD_CHARACTERS = 300
"""The memory of a cached document besides its text, in characters: its hash and its cache entry."""


class PersistedQueryCache:
    """A cache of at most `characters_max` characters, with the documents that clients sent together with a hash."""

    def __init__(self, characters_max: int) -> None:
        self._characters_max = characters_max
        self._documents: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def find(self, sha256: str) -> str | None:
        """Return the document that has this hash, or None if the cache has no such document."""
        return lru_cache.find(self._documents, sha256)

    def add(self, sha256: str, query: str) -> None:
        """Add a document, unless it is larger than the cache; remove the least recently used ones to make space."""
        if sha256 in self._documents or len(query) + DOCUMENT_OVERHEAD_CHARACTERS > self._characters_max:
            return
        self._documents[sha256] = query
        self._characters += len(query) + DOCUMENT_OVERHEAD_CHARACTERS
        while self._characters > self._characters_max:
            _, removed = self._documents.popitem(last=False)
            self._characters -= len(removed) + DOCUMENT_OVERHEAD_CHARACTERS


class DocumentStore:
    """The lookup of a request's document: in the request, among the trusted documents, or in the cache."""

    def __init__(
        self, schema: execution_schema.RenewalSchema, trusted: TrustedDocuments, characters_max: int
    ) -> None:
        self._schema = schema
        self._trusted = trusted
        self._persisted = PersistedQueryCache(characters_max)
        self._allows_persisted = characters_max > 0 and not trusted.only

    def find(self, request: http_request.GraphQLRequest) -> str:
        """Return the document of a request. Raises HTTPError if it is missing, unknown or not trusted.

        HTTPError is also raised for a malformed hash, unless it was sent with an id and without a document, and for a
        document with another hash than the one that was sent with it.
        """
        query = request.query
        if not query:
            name = _hash_of(request) if request.document_id is None else request.document_id
            if name is None:
                raise errors.HTTPError(
                    400,
                    "BAD_REQUEST",
                    Message("The member query is missing. Send a document, its hash or its id."),
                )
            query = self._trusted.find(name) or (
                self._persisted.find(name) if self._allows_persisted else None
            )
            if query is None:
                raise self._not_found(request)
        elif not self._trusted.allows(query):
            raise errors.HTTPError(
                400,
                "DOCUMENT_NOT_TRUSTED",
                Message("This server executes only the trusted documents that its operator has listed."),
            )
        elif (sha256 := _hash_of(request)) and sha256_of(query) != sha256:
            raise errors.HTTPError(
                400, "BAD_REQUEST", Message("sha256Hash must be the SHA-256 hash of the query.")
            )
        return query

    def keep(self, request: http_request.GraphQLRequest) -> None:
        """Cache a document that a client sent with its hash, if the document is valid and APQ is allowed.

        Call this after the check of the limits.
        """
        if not self._allows_persisted or not request.query:
            return
        sha256 = _hash_of(request)
        if sha256 is None:
            return
        if self._persisted.find(sha256) is None and self._is_valid(request.query):
            self._persisted.add(sha256, request.query)

    def _is_valid(self, query: str) -> bool:
        try:
            return not self._schema.validation_errors(query, document_cache.parse_document(query))
        except GraphQLError:
            return False

    def _not_found(self, request: http_request.GraphQLRequest) -> errors.HTTPError:
        if request.document_id is None and self._allows_persisted:
            return errors.HTTPError(200, "PERSISTED_QUERY_NOT_FOUND", Message("PersistedQueryNotFound"))
        if request.document_id is None and not self._trusted.only:
            return errors.HTTPError(
                200, "PERSISTED_QUERY_NOT_SUPPORTED", Message("PersistedQueryNotSupported")
            )
        return errors.HTTPError(
            400,
            "DOCUMENT_NOT_TRUSTED",
            Message(
                "The document is not one of the trusted documents that this server's operator has listed."
            ),
        )


def _hash_of(request: http_request.GraphQLRequest) -> str | None:
    """Return the hash that was sent in a request, or None. Raises HTTPError for a malformed hash."""
    persisted: object = request.extensions.get("persistedQuery")
    if persisted is None:
        return None
    sha256 = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(sha256, str) or not is_sha256(sha256):
        raise errors.HTTPError(
            400,
            "BAD_REQUEST",
            Message("persistedQuery must have a sha256Hash of 64 lower-case hexadecimal digits."),
        )
    return sha256
