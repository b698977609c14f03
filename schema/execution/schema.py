"""The schema class of both APIs: cached operations, validation and error reporting."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema import ExceptionHandler
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext, StreamResult
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType
from strawberry.types.scalar import ScalarDefinition

from renewals.domain import errors
from renewals.domain.messages import Message
from renewals.i18n import catalogs
from renewals.observability import request_record
from schema.context import Context
from schema.execution import operation_cache
from schema.fields import sources
from schema.limits import document_cache, slices
from schema.shared import errors as shared_errors
from schema.shared import scalars

ERRORS_MAX = 5
"""Maximum number of validation errors reported for a document. If there are more, one further error says so.

Locating each error takes a pass over the document.
"""

_NAME_REQUIRED = Message("operationName is required for a document with several operations")
_KINDS = (OperationType.QUERY, OperationType.MUTATION)


class RequireOperationName(SchemaExtension):
    """An extension that refuses a document with several operations if the request has no operationName.

    Strawberry would execute the first operation.
    """

    def on_validate(self) -> Iterator[None]:
        """Add an error if the document has several operations and the request names none."""
        context = self.execution_context
        assert context.graphql_document is not None
        definitions = context.graphql_document.definitions
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if len(operations) > 1 and context._provided_operation_name is None:
            error = GraphQLError(catalogs.translate_for_request(_NAME_REQUIRED), operations[:2])
            context.pre_execution_errors = [*(context.pre_execution_errors or ()), error]
        yield


class Parser(SchemaExtension):
    """An extension that parses with a cache. Strawberry reports a syntax error, in the same way on every transport."""

    def on_parse(self) -> Iterator[None]:
        """Parse the document."""
        context = self.execution_context
        with contextlib.suppress(GraphQLError):
            context.graphql_document = document_cache.parse_document(context.query or "")
        yield


class Validator(SchemaExtension):
    """An extension that validates with a cache."""

    def on_validate(self) -> Iterator[None]:
        """Set the errors of the document's validation, from the cache if possible."""
        context = self.execution_context
        assert context.graphql_document is not None
        schema: Any = context.schema
        context.pre_execution_errors = schema.validation_errors(context.query, context.graphql_document)
        yield


_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
"""The rules of the specification, and those of Strawberry."""


class CachedNameConverter(NameConverter):
    """A converter of Python names to camel-case names, with a cache."""

    @functools.cache  # noqa: B019 - one instance, which lives as long as its schema
    def apply_naming_config(self, name: str) -> str:
        """Return the GraphQL name of a Python name."""
        return super().apply_naming_config(name)


class RenewalSchema(strawberry.Schema):
    """A schema with cached operations. `shared_errors.mask_error` sets the code and the message of all its errors."""

    def __init__(self, *, extensions: Sequence[Callable[[], SchemaExtension]], **settings: Any) -> None:
        super().__init__(extensions=[*extensions, operation_cache.CacheOperation], **settings)
        _guard_changes(self._schema)
        self.operations = operation_cache.Operations(self._schema)
        self._problems: document_cache.DocumentCache[list[GraphQLError]] = document_cache.DocumentCache()
        self._observers = [make for make in extensions if operation_cache.observes_execution(make())]

    def validation_errors(self, query: str, document: DocumentNode) -> list[GraphQLError]:
        """Return the first errors of a document, from a cache if possible. They do not suggest names of the schema.

        Rules that an extension adds to `execution_context.validation_rules` have no effect.
        """
        problems = self._problems.find(query)
        if problems is None:
            problems = validate(self._schema, document, _RULES, max_errors=ERRORS_MAX, hide_suggestions=True)
            self._problems.keep(query, problems)
        return problems

    def is_known_to_be_valid(self, query: str) -> bool:
        """Return whether a document is in the cache as valid."""
        return self._problems.find(query) == []

    def is_valid(self, query: str) -> bool:
        """Return whether a document is valid; validate it if it is not in the cache."""
        try:
            return not self.validation_errors(query, document_cache.parse_document(query))
        except GraphQLError:
            return False

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Set the code of each error, and the message that the client may read."""
        for error in errors:
            shared_errors.mask_error(error)

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, object] | None = None,
        context_value: Context | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> StreamResult:
        """Execute an operation for a WebSocket or an event stream, with an instant and loaders of its own."""
        assert context_value is not None
        return await super().stream(
            query, variable_values, context_value.copy_for_operation(), *args, **kwargs
        )

    async def execute_cached(
        self, query: str, variables: dict[str, object], name: str | None, context: object
    ) -> ExecutionResult | None:
        """Execute a cached operation; return None if `execute` must be called.

        The result is that of `execute`, except that it can contain instants, which orjson formats in the same way.
        """
        operation = self.operations.find(query, name)
        if operation is None:
            return None
        if self._observers:
            return await self._execute_observed(operation, query, variables, name, context)
        started = operation.start(variables, context)
        if started is None:
            return None
        request_record.note_operation(operation.name, operation.kind)
        return await self._finish(started)

    async def _execute_observed(
        self,
        operation: operation_cache.PreparedOperation,
        query: str,
        variables: dict[str, object],
        name: str | None,
        context: object,
    ) -> ExecutionResult | None:
        observers = [make() for make in self._observers]
        started = operation.start(variables, context, self._get_middleware_manager(observers))
        if started is None:
            return None
        request_record.note_operation(operation.name, operation.kind)
        observed = self._create_execution_context(query, _KINDS, variables, context, operation_name=name)
        observed.graphql_document = operation.document
        for observer in observers:
            observer.execution_context = observed
        runner = self.create_extensions_runner(observed, observers)
        async with runner.operation(), runner.executing():
            observed.result = await self._finish(started)
        observed.result.extensions = await runner.get_extensions_results(observed)
        return observed.result

    async def _finish(self, started: operation_cache.JSONExecutor) -> ExecutionResult:
        result = started.execute_operation()
        finished: Any = await result if isawaitable(result) else result
        if finished.errors:
            self.process_errors(finished.errors)
        return ExecutionResult(finished.data, finished.errors)


def _guard_changes(schema: GraphQLSchema) -> None:
    """Make every mutation check the role and the nested slices before it changes anything."""
    for field in schema.mutation_type.fields.values() if schema.mutation_type else ():
        assert field.resolve is not None
        field.resolve = _guarded(field.resolve)


def _guarded(resolve: Callable[..., object]) -> Callable[..., object]:
    def resolve_if_allowed(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if not info.context.can_write:
            raise errors.ForbiddenError
        slices.check_below(info)
        return resolve(source, info, **arguments)

    return resolve_if_allowed


def build_schema(
    executor_class: type[StrawberryGraphQLCoreExecutionContext],
    *,
    schema_class: type[RenewalSchema] = RenewalSchema,
    query: type,
    mutation: type,
    subscription: type | None,
    scalar_map: Mapping[object, ScalarDefinition] = scalars.SCALARS,
    exception_handlers: Sequence[ExceptionHandler[Any]] = shared_errors.HANDLERS,
) -> RenewalSchema:
    """Build a schema from its root types. `executor_class` executes the operations that are not cached."""
    return schema_class(
        query=query,
        mutation=mutation,
        subscription=subscription,
        config=StrawberryConfig(
            scalar_map=dict(scalar_map), default_resolver=sources.read, name_converter=CachedNameConverter()
        ),
        execution_context_class=executor_class,
        exception_handlers=exception_handlers,
        extensions=[
            Parser,
            Validator,
            RequireOperationName,  # must come after Validator, which replaces the errors
        ],
    )
