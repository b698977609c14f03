"""Documents that clients name instead of sending them: those the operator trusts, and those a client sent before."""

import hashlib
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError

from graphql_api import errors
from graphql_api.graphql import http_request
from renewals import config
from renewals.concurrency import lru_cache
from renewals.instances.account_sizes import AccountSize
from schema.execution import schema as execution_schema
from schema.limits import document_cache, document_limits

_PREFIX = "sha256:"
_SHA256_CHARACTERS = 64
_HEXADECIMAL = frozenset("0123456789abcdef")
CHARACTERS_A_DOCUMENT = 300
"""What a document takes beside its text, its hash and its place among the others."""
APOLLO_FORMAT = "apollo-persisted-query-manifest"


class ManifestError(Exception):
    """The file of trusted documents cannot be used."""


class TrustedDocuments:
    """Documents by their hash or id, as the operator's manifest has them."""

    def __init__(self, by_id: Mapping[str, str], *, only: bool) -> None:
        self._by_id = dict(by_id)
        self._texts = frozenset(by_id.values())
        self.only = only

    def find(self, document_id: str) -> str | None:
        return self._by_id.get(document_id) or self._by_id.get(document_id.removeprefix(_PREFIX))

    def allows(self, query: str) -> bool:
        return not self.only or query in self._texts


def load_trusted_documents(
    settings: config.Settings, limits: document_limits.Limits, *schemas: execution_schema.RenewalSchema
) -> TrustedDocuments:
    """The trusted documents of the settings; raises ManifestError, above all for one that could never be answered."""
    if settings.trusted_documents is None:
        if settings.trusted_documents_only:
            raise ManifestError("RENEWALS_TRUSTED_DOCUMENTS_ONLY needs RENEWALS_TRUSTED_DOCUMENTS.")
        return TrustedDocuments({}, only=False)
    by_id = read(settings.trusted_documents)
    for document_id, query in by_id.items():
        _check(document_id, query, limits, schemas)
    return TrustedDocuments(by_id, only=settings.trusted_documents_only)


def read(path: Path) -> dict[str, str]:
    """The documents of a manifest: a JSON object of texts by hash or id, or Apollo's list of operations."""
    try:
        manifest = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise ManifestError(f"{path}: {problem}") from None
    if isinstance(manifest, dict) and manifest.get("format") == APOLLO_FORMAT:
        operations = manifest.get("operations")
        if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
            raise ManifestError(f"{path}: operations must be a list of objects.")
        manifest = {each.get("id"): each.get("body") for each in operations}
    if not isinstance(manifest, dict) or not all(
        isinstance(key, str) and isinstance(text, str) for key, text in manifest.items()
    ):
        raise ManifestError(f"{path}: must be a JSON object of documents by their hash or id.")
    return {key.removeprefix(_PREFIX): text for key, text in manifest.items()}


def _check(
    document_id: str,
    query: str,
    limits: document_limits.Limits,
    schemas: tuple[execution_schema.RenewalSchema, ...],
) -> None:
    if _is_sha256(document_id) and _sha256(query) != document_id:
        raise ManifestError(f"The document of {document_id} has another hash.")
    try:
        document = document_cache.parse_document(query)
        problems = [schema.validation_errors(query, document) for schema in schemas]
    except (GraphQLError, RecursionError) as problem:
        raise ManifestError(f"The document of {document_id} cannot be read: {problem}") from None
    if all(problems):
        raise ManifestError(
            f"The document of {document_id} does not fit the schema: {problems[0][0].message}"
        )
    fitting = [schema for schema, wrong in zip(schemas, problems, strict=True) if not wrong]
    exceeded = [_exceeded(query, limits, schema) for schema in fitting]
    if all(exceeded):
        raise ManifestError(f"The document of {document_id} exceeds the limits: {exceeded[0]}")


def _exceeded(
    query: str, limits: document_limits.Limits, schema: execution_schema.RenewalSchema
) -> str | None:
    """What of its shape is beyond the limits; its cost depends on variables that are not known yet."""
    try:
        unbounded = limits._replace(cost=sys.maxsize, fields=sys.maxsize)
        document_limits.DocumentLimits(schema._schema, unbounded).check(query, None, {}, AccountSize())
    except document_limits.LimitExceededError as problem:
        return problem.message
    return None


class PersistedQueryCache:
    """The documents that clients sent with their hash most recently (automatic persisted queries)."""

    def __init__(self, characters_max: int) -> None:
        self._characters_max = characters_max
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def find(self, sha256: str) -> str | None:
        return lru_cache.find(self._kept, sha256)

    def keep(self, sha256: str, query: str) -> None:
        if sha256 in self._kept or len(query) + CHARACTERS_A_DOCUMENT > self._characters_max:
            return
        self._kept[sha256] = query
        self._characters += len(query) + CHARACTERS_A_DOCUMENT
        while self._characters > self._characters_max:
            _, forgotten = self._kept.popitem(last=False)
            self._characters -= len(forgotten) + CHARACTERS_A_DOCUMENT


class DocumentStore:
    """Finds the text of what a client asks."""

    def __init__(
        self, schema: execution_schema.RenewalSchema, known: TrustedDocuments, characters_max: int
    ) -> None:
        self._schema = schema
        self._trusted = known
        self._sent = PersistedQueryCache(characters_max)
        self._takes_sent = characters_max > 0 and not known.only

    def find(self, asked: http_request.GraphQLRequest) -> str:
        """The document itself; raises errors.HTTPError."""
        name = _name_of(asked)
        query = asked.query
        if not query:
            if name is None:
                raise errors.HTTPError(400, "BAD_REQUEST", "The member query is missing.")
            query = self._trusted.find(name) or (self._sent.find(name) if self._takes_sent else None)
            if query is None:
                raise self._not_found(asked)
        elif not self._trusted.allows(query):
            raise errors.HTTPError(400, "DOCUMENT_NOT_TRUSTED", "This server answers known documents only.")
        elif name and asked.document_id is None and _sha256(query) != name:
            raise errors.HTTPError(400, "BAD_REQUEST", "The query is not the one of its sha256Hash.")
        return query

    def keep(self, asked: http_request.GraphQLRequest) -> None:
        """Keeps a document within the limits that a client sent with its hash, if it is a valid one."""
        sha256 = _name_of(asked)
        if not self._takes_sent or not asked.query or sha256 is None or asked.document_id is not None:
            return
        if self._sent.find(sha256) is None and self._is_valid(asked.query):
            self._sent.keep(sha256, asked.query)

    def _is_valid(self, query: str) -> bool:
        try:
            return not self._schema.validation_errors(query, document_cache.parse_document(query))
        except GraphQLError:
            return False

    def _not_found(self, asked: http_request.GraphQLRequest) -> errors.HTTPError:
        if asked.document_id is None and self._takes_sent:
            return errors.HTTPError(200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        if asked.document_id is None and not self._trusted.only:
            return errors.HTTPError(200, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        return errors.HTTPError(400, "DOCUMENT_NOT_TRUSTED", "This server does not know the document.")


def _name_of(asked: http_request.GraphQLRequest) -> str | None:
    """The id, or else the hash, by which a client names a document."""
    if asked.document_id is not None:
        return asked.document_id
    persisted: Any = asked.extensions.get("persistedQuery")
    if persisted is None:
        return None
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(found, str) or not _is_sha256(found):
        raise errors.HTTPError(400, "BAD_REQUEST", "persistedQuery needs a sha256Hash in hexadecimal.")
    return found


def _sha256(query: str) -> str:
    return hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest()


def _is_sha256(text: str) -> bool:
    return len(text) == _SHA256_CHARACTERS and set(text) <= _HEXADECIMAL
