"""Trusted documents: those of the operator's manifest and of the console, which a client names by hash or id."""

import hashlib
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
from graphql import GraphQLError

from renewals import config
from renewals.instances.account_sizes import AccountSize
from schema.execution import schema as execution_schema
from schema.limits import document_cache, document_limits, limit_errors

log = logging.getLogger(__name__)

_PREFIX = "sha256:"
_SHA256_CHARACTERS = 64
_HEXADECIMAL = frozenset("0123456789abcdef")
APOLLO_FORMAT = "apollo-persisted-query-manifest"


class ManifestError(Exception):
    """A manifest of trusted documents is required but missing, or it is not usable."""


class BuiltDocuments:
    """The documents of the console, whose manifest a build may write while the server runs.

    If a hash is not found and the file of the manifest has changed, the manifest is read again.
    """

    def __init__(self, manifest: Path, check: Callable[[str, str], None]) -> None:
        self._manifest = manifest
        self._check = check
        self._by_id: dict[str, str] = {}
        self._modified_ns: int | None = None

    def find(self, sha256: str) -> str | None:
        """Return the document that has this hash, or None if the manifest has no such document."""
        query = self._by_id.get(sha256)
        if query is None and self._has_changed():
            self._by_id = self._read()
            query = self._by_id.get(sha256)
        return query

    def _has_changed(self) -> bool:
        try:
            modified_ns = self._manifest.stat().st_mtime_ns
        except OSError:
            return False
        before, self._modified_ns = self._modified_ns, modified_ns
        return before != modified_ns

    def _read(self) -> dict[str, str]:
        """Return the documents; none if the manifest is not usable, or if this server cannot execute one of them."""
        try:
            documents = read_manifest(self._manifest)
            for document_id, query in documents.items():
                self._check(document_id, query)
        except ManifestError as problem:
            log.warning("the console must be built again: %s", problem)
            return {}
        return documents


class TrustedDocuments:
    """The documents of the operator's manifest by hash or id, and those of the console."""

    def __init__(self, by_id: Mapping[str, str], *, only: bool, built: BuiltDocuments | None = None) -> None:
        self._by_id = dict(by_id)
        self._texts = frozenset(by_id.values())
        self._built = built
        self.only = only

    def find(self, document_id: str) -> str | None:
        """Return the document that has this id or hash, or None if no trusted document has it."""
        name = document_id.removeprefix(_PREFIX)
        query = self._by_id.get(document_id) or self._by_id.get(name)
        return query or (self._built.find(name) if self._built else None)

    def allows(self, query: str) -> bool:
        """Return whether a client may send the text of this document."""
        return not self.only or query in self._texts


def load_trusted_documents(
    settings: config.Settings,
    limits: document_limits.Limits,
    *schemas: execution_schema.RenewalSchema,
    built_manifest: Path | None = None,
) -> TrustedDocuments:
    """Load the documents of the settings' manifest; also trust those of the console's manifest, `built_manifest`.

    Raises ManifestError if the settings' manifest is missing but required, or not usable. It is also raised for a
    document of this manifest that has another hash than stated, or that no schema can execute within the limits.
    """

    def check(document_id: str, query: str) -> None:
        _check(document_id, query, limits, schemas)

    only = settings.trusted_documents_only
    built = BuiltDocuments(built_manifest, check) if built_manifest else None
    if settings.trusted_documents is None:
        if only and built is None:
            raise ManifestError("RENEWALS_TRUSTED_DOCUMENTS_ONLY requires RENEWALS_TRUSTED_DOCUMENTS.")
        return TrustedDocuments({}, only=only, built=built)
    by_id = read_manifest(settings.trusted_documents)
    for document_id, query in by_id.items():
        check(document_id, query)
    return TrustedDocuments(by_id, only=only, built=built)


def read_manifest(path: Path) -> dict[str, str]:
    """Return the documents of a manifest by hash or id. Raises ManifestError.

    A manifest is a JSON object of documents by hash or id, or a persisted query manifest of Apollo.
    """
    try:
        manifest = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise ManifestError(f"{path}: {problem}") from None
    if isinstance(manifest, dict) and manifest.get("format") == APOLLO_FORMAT:
        operations = manifest.get("operations")
        if not isinstance(operations, list) or not all(
            isinstance(operation, dict) for operation in operations
        ):
            raise ManifestError(f"{path}: operations must be a list of objects.")
        manifest = {operation.get("id"): operation.get("body") for operation in operations}
    if not isinstance(manifest, dict) or not all(
        isinstance(key, str) and isinstance(text, str) for key, text in manifest.items()
    ):
        raise ManifestError(
            f"{path}: must be a JSON object that maps hashes or ids to documents, or Apollo's manifest, "
            "in which each operation has an id and a body."
        )
    return {key.removeprefix(_PREFIX): text for key, text in manifest.items()}


def _check(
    document_id: str,
    query: str,
    limits: document_limits.Limits,
    schemas: tuple[execution_schema.RenewalSchema, ...],
) -> None:
    if is_sha256(document_id) and sha256_of(query) != document_id:
        raise ManifestError(f"In the manifest, {document_id} is not the SHA-256 hash of its document.")
    try:
        document = document_cache.parse_document(query)
        problems = [schema.validation_errors(query, document) for schema in schemas]
    except (GraphQLError, RecursionError) as problem:
        raise ManifestError(f"The document {document_id} cannot be parsed: {problem}") from None
    if all(problems):
        raise ManifestError(f"The document {document_id} does not match the schema: {problems[0][0].message}")
    matching = [schema for schema, errors in zip(schemas, problems, strict=True) if not errors]
    exceeded = [_exceeded_limit(query, limits, schema) for schema in matching]
    if all(exceeded):
        raise ManifestError(f"The document {document_id} exceeds the limits: {exceeded[0]}")


def _exceeded_limit(
    query: str, limits: document_limits.Limits, schema: execution_schema.RenewalSchema
) -> str | None:
    """Return the message of the limit that a document exceeds, or None.

    The cost and the number of fields of the result are not checked, because they depend on variables.
    """
    try:
        unbounded = limits._replace(cost=sys.maxsize, fields=sys.maxsize)
        document_limits.DocumentLimits(schema._schema, unbounded).check(query, None, {}, AccountSize())
    except limit_errors.LimitExceededError as problem:
        return problem.message
    return None


def sha256_of(query: str) -> str:
    """Return the hash of a document, in hexadecimal."""
    return hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest()


def is_sha256(text: str) -> bool:
    """Return whether a text has the form of a SHA-256 hash in lower-case hexadecimal."""
    return len(text) == _SHA256_CHARACTERS and set(text) <= _HEXADECIMAL
