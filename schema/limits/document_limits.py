"""Limits on documents, which are checked before a document is validated or executed.

`document_text` checks the text, and `complexity` measures the operations.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import GraphQLError, GraphQLSchema, OperationType

from renewals import config
from renewals.domain.messages import Message
from renewals.instances.account_sizes import AccountSize
from schema.limits import complexity, cost, document_cache, document_text, list_sizes, weights
from schema.limits.limit_errors import LimitExceededError, too_deep, too_many

DIRECTIVES_TOGETHER_MAX = 5
"""Maximum number of directives on one field, fragment or operation."""


class Limits(NamedTuple):
    """The limits on a document. `tokens` limits its names and punctuators and, separately, its comments."""

    characters: int
    tokens: int
    depth: int
    root_fields: int
    aliases: int
    directives: int
    repeats: int
    fields: int
    cost: int
    is_introspection_allowed: bool

    @classmethod
    def of(cls, settings: config.Settings) -> "Limits":
        """Return the limits that the settings define."""
        return cls(
            characters=settings.document_characters_max,
            tokens=settings.document_tokens_max,
            depth=settings.depth_max,
            root_fields=settings.root_fields_max,
            aliases=settings.aliases_max,
            directives=settings.directives_max,
            repeats=settings.repeats_max,
            fields=settings.fields_max,
            cost=settings.cost_max,
            is_introspection_allowed=settings.introspection,
        )


class Admitted(NamedTuple):
    """An accepted operation with its cost.

    If the document does not have the operation, `kind` is None. `reading` is the cost of reading a document that was
    not cached, and `fields` the estimated maximum number of fields of the result. `is_one_page` is True if the only
    root field returns a page of one of the account's lists.
    """

    kind: OperationType | None
    cost: int
    reading: int = 0
    fields: int = 0
    is_one_page: bool = False


class _Document(NamedTuple):
    """The operations of a document, or the code, the reason and the numbers of its refusal."""

    operations: Mapping[str | None, complexity.Operation]
    refusal: tuple[str, Message, dict[str, Any]] | None


class DocumentLimits:
    """The check of documents against the limits of a schema, with a cache of their measures."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._documents: document_cache.DocumentCache[_Document] = document_cache.DocumentCache()

    def check(
        self, query: str, name: str | None, variables: Mapping[str, object], size: AccountSize | None = None
    ) -> Admitted:
        """Return the kind and the cost of an operation.

        If the document cannot be parsed or does not have the operation, the kind is None, and the execution then
        reports the error.

        Raises LimitExceededError if the operation must not be executed, and SizeNeededError if the cost depends on the
        size of the account and `size` is None.
        """
        document, reading = self._find(query)
        try:
            if document.refusal is not None:
                code, reason, numbers = document.refusal
                raise LimitExceededError(code, reason, **numbers)
            operation = self._choose(document, name)
            if operation is None:
                return Admitted(None, 0, reading)
            total = operation.total(variables, size)
            self._check_total(total)
        except LimitExceededError as exceeded:
            exceeded.reading = reading
            raise
        except list_sizes.SizeNeededError as needed:
            needed.reading = reading
            raise
        is_one_page = operation.measure.pages == operation.measure.width == 1
        return Admitted(operation.kind, total.cost, reading, total.fields, is_one_page)

    def _check_total(self, total: cost.Total) -> None:
        if total.fields > self._limits.fields:
            raise LimitExceededError(
                "COST_TOO_HIGH",
                Message(
                    "the result could have {fields:,} fields, more than the maximum of {count:,}: "
                    "request smaller pages",
                    fields=total.fields,
                    count=self._limits.fields,
                ),
                maximum=self._limits.fields,
            )
        if total.cost > self._limits.cost:
            raise LimitExceededError(
                "COST_TOO_HIGH",
                Message(
                    "the request costs {cost:,}, more than the maximum of {maximum:,}: request fewer fields or "
                    "smaller pages",
                    cost=total.cost,
                    maximum=self._limits.cost,
                ),
                maximum=self._limits.cost,
            )

    def _find(self, query: str) -> tuple[_Document, int]:
        """Return the document, and the cost of reading it now: 0 if it was cached."""
        document = self._documents.find(query)
        if document is not None:
            return document, 0
        reading, refusal = len(query) // weights.CHARACTERS_READ, None
        operations: Mapping[str | None, complexity.Operation] = {}
        try:
            limits = self._limits
            tokens = document_text.check_text(query, limits.characters, limits.tokens)
            reading += tokens * weights.TOKEN_READ
            operations = self._measure(query)
        except LimitExceededError as exceeded:
            numbers = dict(exceeded.extensions or {})
            refusal = (str(numbers.pop("code")), exceeded.reason, numbers)
        document = _Document(operations, refusal)
        self._documents.keep(query, document)
        return document, reading

    def _choose(self, document: _Document, name: str | None) -> complexity.Operation | None:
        if name is None and len(document.operations) == 1:
            return next(iter(document.operations.values()))
        return document.operations.get(name)

    def _measure(self, query: str) -> Mapping[str | None, complexity.Operation]:
        try:
            measured = complexity.measure(self._schema, document_cache.parse_document(query))
        except complexity.FragmentCycleError as cycle:
            reason = Message("fragment {name} spreads itself", name=str(cycle))
            raise LimitExceededError("FRAGMENT_CYCLE", reason) from None
        except complexity.DefinitionsError:
            raise LimitExceededError("BAD_REQUEST", _DEFINITIONS) from None
        except RecursionError:
            raise too_deep(document_text.NESTING_MAX) from None
        except GraphQLError:
            return {}
        for fragment in measured.fragments:
            self._check(fragment)
        for operation in measured.operations.values():
            self._check(operation.measure)
            if operation.measure.width > self._limits.root_fields:
                raise too_many("ROOT_FIELDS", _ROOT_FIELDS, self._limits.root_fields)
        return measured.operations

    def _check(self, measure: complexity.Measure) -> None:
        limits = self._limits
        if measure.nesting > document_text.NESTING_MAX:
            raise too_deep(document_text.NESTING_MAX)
        if measure.depth > limits.depth:
            raise too_deep(limits.depth)
        if measure.is_introspection and not limits.is_introspection_allowed:
            raise LimitExceededError("INTROSPECTION_DISABLED", _NO_INTROSPECTION)
        together = measure.directives_in_one_place
        for code, noun, count, maximum in (
            ("ALIASES", _ALIASES, measure.aliases, limits.aliases),
            ("DIRECTIVES", _DIRECTIVES, measure.directives, limits.directives),
            ("DIRECTIVES", _DIRECTIVES_TOGETHER, together, DIRECTIVES_TOGETHER_MAX),
            ("REPEATS", _REPEATS, measure.duplicate_pairs, limits.repeats),
        ):
            if count > maximum:
                raise too_many(code, noun, maximum)


_DEFINITIONS = Message("a document must contain only operations and fragments, each with a unique name")
_NO_INTROSPECTION = Message("introspection is disabled on this server")
_ROOT_FIELDS = Message("an operation must have at most {count:,} root fields")
_ALIASES = Message("an operation or a fragment must have at most {count:,} aliases")
_DIRECTIVES = Message("an operation or a fragment must have at most {count:,} directives")
_DIRECTIVES_TOGETHER = Message(
    "an operation or a fragment must have at most {count:,} directives in one place"
)
_REPEATS = Message(
    "an operation or a fragment must have at most {count:,} pairs of fields with the same name or alias in one object"
)
