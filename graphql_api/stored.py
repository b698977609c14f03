"""Documents that clients name instead of sending them: those the operator trusts, and those a client sent before."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, validate
from graphql import GraphQLSchema as CoreSchema

from graphql_api import over_http
from renewals import settings
from schema import documents

_PREFIX = "sha256:"
_DIGEST_LENGTH = 64
_HEXADECIMAL = frozenset("0123456789abcdef")
APOLLO_FORMAT = "apollo-persisted-query-manifest"


class ManifestError(Exception):
    """The file of trusted documents cannot be used."""


class Trusted:
    """Documents by their hash or id, as the operator's manifest has them."""

    def __init__(self, by_id: Mapping[str, str], *, only: bool) -> None:
        self._by_id = dict(by_id)
        self._texts = frozenset(by_id.values())
        self.only = only

    def find(self, document_id: str) -> str | None:
        return self._by_id.get(document_id) or self._by_id.get(document_id.removeprefix(_PREFIX))

    def allows(self, query: str) -> bool:
        return not self.only or query in self._texts


def trusted(chosen: settings.Settings, *schemas: CoreSchema) -> Trusted:
    """The trusted documents of the settings; raises ManifestError, above all for one that fits none of the schemas."""
    if chosen.trusted_documents is None:
        if chosen.trusted_documents_only:
            raise ManifestError("RENEWALS_TRUSTED_DOCUMENTS_ONLY needs RENEWALS_TRUSTED_DOCUMENTS.")
        return Trusted({}, only=False)
    by_id = read(chosen.trusted_documents)
    for document_id, query in by_id.items():
        _check(document_id, query, schemas)
    return Trusted(by_id, only=chosen.trusted_documents_only)


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


def _check(document_id: str, query: str, schemas: tuple[CoreSchema, ...]) -> None:
    if _is_digest(document_id) and _digest(query) != document_id:
        raise ManifestError(f"The document of {document_id} has another hash.")
    try:
        document = documents.parsed(query)
    except GraphQLError as problem:
        raise ManifestError(f"The document of {document_id} cannot be read: {problem.message}") from None
    problems = [validate(schema, document) for schema in schemas]
    if all(problems):
        raise ManifestError(
            f"The document of {document_id} does not fit the schema: {problems[0][0].message}"
        )


class Sent:
    """The documents that clients sent with their hash most recently (automatic persisted queries)."""

    def __init__(self, characters_max: int) -> None:
        self._characters_max = characters_max
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def find(self, digest: str) -> str | None:
        if digest in self._kept:
            self._kept.move_to_end(digest)
        return self._kept.get(digest)

    def keep(self, digest: str, query: str) -> None:
        if digest in self._kept or len(query) > self._characters_max:
            return
        self._kept[digest] = query
        self._characters += len(query)
        while self._characters > self._characters_max:
            _, forgotten = self._kept.popitem(last=False)
            self._characters -= len(forgotten)


class Store:
    """Finds the text of what a client asks."""

    def __init__(self, known: Trusted, characters_max: int) -> None:
        self._trusted = known
        self._sent = Sent(characters_max)
        self._takes_sent = characters_max > 0 and not known.only

    def find(self, asked: over_http.Asked) -> str:
        """The document itself; raises over_http.Refused."""
        digest = self._digest(asked)
        query = asked.query
        if not query:
            if digest is None:
                raise over_http.Refused(400, "BAD_REQUEST", "The member query is missing.")
            query = self._trusted.find(digest) or (self._sent.find(digest) if self._takes_sent else None)
            if query is None:
                raise self._not_found(asked)
        elif not self._trusted.allows(query):
            raise over_http.Refused(400, "DOCUMENT_NOT_TRUSTED", "This server answers known documents only.")
        elif digest and asked.document_id is None and _digest(query) != digest:
            raise over_http.Refused(400, "BAD_REQUEST", "The query is not the one of its sha256Hash.")
        return query

    def keep(self, asked: over_http.Asked) -> None:
        """Keeps a document that a client sent with its hash, once nothing speaks against it."""
        digest = self._digest(asked)
        if self._takes_sent and asked.query and digest and asked.document_id is None:
            self._sent.keep(digest, asked.query)

    def _not_found(self, asked: over_http.Asked) -> over_http.Refused:
        if asked.document_id is None and self._takes_sent:
            return over_http.Refused(200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        if asked.document_id is None and not self._trusted.only:
            return over_http.Refused(200, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        return over_http.Refused(400, "DOCUMENT_NOT_TRUSTED", "This server does not know the document.")

    def _digest(self, asked: over_http.Asked) -> str | None:
        """The hash, or id, that names a document."""
        if asked.document_id is not None:
            return asked.document_id
        persisted: Any = asked.extensions.get("persistedQuery")
        if persisted is None:
            return None
        found = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
        if not isinstance(found, str) or not _is_digest(found):
            raise over_http.Refused(400, "BAD_REQUEST", "persistedQuery needs a sha256Hash in hexadecimal.")
        return found


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest()


def _is_digest(text: str) -> bool:
    return len(text) == _DIGEST_LENGTH and set(text) <= _HEXADECIMAL
