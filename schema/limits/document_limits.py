"""What a document may be, decided before anything in it is executed, or even validated."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationType, parse

from renewals import config
from renewals.concurrency import lru_cache
from renewals.instances.account_sizes import AccountSize
from schema.limits import complexity, cost, list_sizes, weights

Value = TypeVar("Value")

DOCUMENTS_MAX = 200
"""How many are kept, parsed, measured, validated, and with what was compiled of them."""
CHARACTERS_KEPT_MAX = 5_000
"""A document that long takes some hundred kilobytes while it is kept; of longer ones the last is kept."""
NESTING_MAX = 100
"""Of selections, fragments, lists and objects in each other, before the readers of a document run out of stack."""
VALUES_MAX = 1_000
"""Strings and numbers that stand in a document; more of them belong into variables, which are read much faster."""
WORD_CHARACTERS_MAX = 100
DIRECTIVES_TOGETHER_MAX = 5
"""In one place."""

# What is not closed reaches to the end of what it may hold, so that no character is looked at twice.
_TOKENS = re.compile(
    r"""
      (?P<comment>\#[^\n\r]*+)
    | (?P<string>\"{3}(?:[^"\\]|\\(?:\"{3})?+|"(?!""))*+(?:\"{3})?+
      | "(?:[^"\\\n\r]|\\.)*+"?+)
    | (?P<number>-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)
    | (?P<syntax>[_A-Za-z][_0-9A-Za-z]*+|\.{3}|[!$&()/:=@\[\]{|}])
    """,
    re.VERBOSE | re.DOTALL,
)

_OPENING, _CLOSING = frozenset("{[("), frozenset("}])")


class Limits(NamedTuple):
    """What a document may have at most; `tokens` are names and punctuators, not the values that stand in it."""

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
        """Those of the settings."""
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
    """An operation that may be executed, and what it costs; `reading` is what it cost to read a new document."""

    kind: OperationType | None
    cost: int
    reading: int = 0


class LimitExceededError(GraphQLError):
    """A request is larger than it may be; `extensions` has the code, and the limit where there is one.

    `reading` is what it cost to find that out, in the unit of all costs.
    """

    def __init__(self, code: str, message: str, **numbers: int) -> None:
        super().__init__(message, extensions={"code": code, **numbers})
        self.reading = 0


class _Document(NamedTuple):
    """What a document has, or why it is refused, and what it costs to read it."""

    operations: Mapping[str | None, complexity.Operation]
    refusal: tuple[str, str, dict[str, Any]] | None
    reading: int


class DocumentCache(Generic[Value]):
    """What was made of the latest documents; of a long one, only while no other long one is asked."""

    def __init__(self) -> None:
        self._short: OrderedDict[str, Value] = OrderedDict()
        self._long: tuple[str, Value] | None = None

    def find(self, query: str) -> Value | None:
        long = self._long
        if long is not None and long[0] == query:
            return long[1]
        return lru_cache.find(self._short, query)

    def keep(self, query: str, value: Value) -> None:
        if len(query) > CHARACTERS_KEPT_MAX:
            self._long = (query, value)
        else:
            lru_cache.keep(self._short, query, value, most=DOCUMENTS_MAX)


class DocumentLimits:
    """The limits of a schema, and the measures of the documents that were asked most recently."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._known: DocumentCache[_Document] = DocumentCache()

    def check(
        self, query: str, name: str | None, variables: Mapping[str, Any], size: AccountSize | None = None
    ) -> Admitted:
        """Return what is known of an operation; raise LimitExceededError for one that must not be executed.

        Nothing is known of what cannot be parsed or is not there: whoever executes it will say so. Raises
        list_sizes.SizeNeededError if the cost depends on the size of the account, and that is not given.
        """
        document, reading = self._find(query)
        try:
            if document.refusal is not None:
                code, message, numbers = document.refusal
                raise LimitExceededError(code, message, **numbers)
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
        return Admitted(operation.kind, total.cost, reading)

    def _check_total(self, total: cost.Total) -> None:
        if total.fields > self._limits.fields:
            raise LimitExceededError(
                "COST_TOO_HIGH",
                f"The answer may have more than {self._limits.fields:,} fields: ask for smaller pages.",
                maximum=self._limits.fields,
            )
        if total.cost > self._limits.cost:
            raise LimitExceededError(
                "COST_TOO_HIGH",
                f"The request costs {total.cost:,}, more than {self._limits.cost:,}: ask for less at once.",
                maximum=self._limits.cost,
            )

    def kind(self, query: str, name: str | None) -> OperationType | None:
        """Whether it is a query, a mutation or a subscription, if it is known."""
        operation = self._choose(self._find(query)[0], name)
        return operation.kind if operation else None

    def _find(self, query: str) -> tuple[_Document, int]:
        """The document, and what it costs to read it now: nothing if it is known."""
        document = self._known.find(query)
        if document is not None:
            return document, 0
        reading, refusal = len(query) // weights.CHARACTERS_READ, None
        operations: Mapping[str | None, complexity.Operation] = {}
        try:
            tokens = self._check_text(query)
            reading += tokens * weights.TOKEN_READ
            operations = self._measure(query)
        except LimitExceededError as exceeded:
            numbers = dict(exceeded.extensions or {})
            refusal = (str(numbers.pop("code")), exceeded.message, numbers)
        document = _Document(operations, refusal, reading)
        self._known.keep(query, document)
        return document, reading

    def _choose(self, document: _Document, name: str | None) -> complexity.Operation | None:
        if name is None and len(document.operations) == 1:
            return next(iter(document.operations.values()))
        return document.operations.get(name)

    def _measure(self, query: str) -> Mapping[str | None, complexity.Operation]:
        try:
            measured = complexity.measure(self._schema, parsed(query))
        except complexity.FragmentCycleError as cycle:
            raise LimitExceededError("FRAGMENT_CYCLE", f"Fragment {cycle} spreads itself.") from None
        except complexity.DefinitionsError:
            message = "A document has operations and fragments, each with a name of its own."
            raise LimitExceededError("BAD_REQUEST", message) from None
        except RecursionError:
            raise _too_deep(NESTING_MAX) from None
        except GraphQLError:
            return {}
        for fragment in measured.fragments:
            self._check(fragment)
        for operation in measured.operations.values():
            self._check(operation.measure)
            if operation.measure.width > self._limits.root_fields:
                raise _too_many("ROOT_FIELDS", "root fields", self._limits.root_fields)
        return measured.operations

    def _check_text(self, query: str) -> int:
        """Return the number of tokens; raise LimitExceededError for too many."""
        if len(query) > self._limits.characters:
            raise LimitExceededError(
                "DOCUMENT_TOO_LARGE",
                f"A document has at most {self._limits.characters:,} characters: send values as variables.",
                maximum=self._limits.characters,
            )
        tokens = self._limits.tokens
        left = {"syntax": tokens, "comment": tokens, "number": VALUES_MAX, "string": VALUES_MAX}
        nesting = 0
        for found in _TOKENS.finditer(query):
            kind, token = found.lastgroup, found.group()
            if kind is None:
                continue
            left[kind] -= 1
            nesting += (token in _OPENING) - (token in _CLOSING)
            if left[kind] < 0:
                raise _too_many_tokens(self._limits.tokens)
            if nesting > NESTING_MAX:
                raise _too_deep(NESTING_MAX)
            if kind in ("number", "syntax") and len(token) > WORD_CHARACTERS_MAX:
                message = f"A name or a number has at most {WORD_CHARACTERS_MAX} characters."
                raise LimitExceededError("DOCUMENT_TOO_LARGE", message, maximum=WORD_CHARACTERS_MAX)
        return 2 * (tokens + VALUES_MAX) - sum(left.values())

    def _check(self, found: complexity.Measure) -> None:
        limits = self._limits
        if found.nesting > NESTING_MAX:
            raise _too_deep(NESTING_MAX)
        if found.depth > limits.depth:
            raise _too_deep(limits.depth)
        if found.is_introspection and not limits.is_introspection_allowed:
            raise LimitExceededError("INTROSPECTION_DISABLED", "This server does not answer introspection.")
        for code, what, number, most in (
            ("ALIASES", "aliases", found.aliases, limits.aliases),
            ("DIRECTIVES", "directives", found.directives, limits.directives),
            ("DIRECTIVES", "directives in one place", found.directives_in_one_place, DIRECTIVES_TOGETHER_MAX),
            ("REPEATS", "pairs of fields with one name", found.duplicate_pairs, limits.repeats),
        ):
            if number > most:
                raise _too_many(code, what, most)


def _too_many(code: str, what: str, most: int) -> LimitExceededError:
    return LimitExceededError(f"TOO_MANY_{code}", f"An operation has at most {most:,} {what}.", maximum=most)


def _too_many_tokens(most: int) -> LimitExceededError:
    return LimitExceededError(
        "DOCUMENT_TOO_LARGE",
        f"A document has at most {most:,} names and punctuators, as many comments, and {VALUES_MAX:,} values:"
        " send values as variables.",
        maximum=most,
    )


def _too_deep(most: int) -> LimitExceededError:
    return LimitExceededError("TOO_DEEP", f"A document is nested at most {most} levels deep.", maximum=most)


_parsed: DocumentCache[DocumentNode | GraphQLError] = DocumentCache()


def parsed(query: str) -> DocumentNode:
    """A document, parsed once while it is among the latest; GraphQLError if it cannot be."""
    found = _parsed.find(query)
    if found is None:
        try:
            found = parse(query)
        except GraphQLError as error:
            found = error
        _parsed.keep(query, found)
    if isinstance(found, GraphQLError):
        raise found.with_traceback(None)
    return found
