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
from renewals.observability import request_record
from schema.context import Context
from schema.execution import operation_cache
from schema.fields import sources
from schema.limits import document_limits, slices
from schema.shared import errors as shared_errors
from schema.shared import scalars

ERRORS_MAX = 5
"""Of a document: whoever wrote it mends these first, and each is a walk through it."""


_KINDS = (OperationType.QUERY, OperationType.MUTATION)


class RequireOperationName(SchemaExtension):
    """Refuses a document of several operations that names none of them; Strawberry would run the first."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        definitions = context.graphql_document.definitions
        found = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if len(found) > 1 and context._provided_operation_name is None:
            error = GraphQLError("Name one of the document's operations in operationName.", found[:2])
            context.pre_execution_errors = [*(context.pre_execution_errors or ()), error]
        yield


class Parser(SchemaExtension):
    """Knows a document again; one that cannot be parsed is left to Strawberry, which can answer it on every way."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        with contextlib.suppress(GraphQLError):
            context.graphql_document = document_limits.parsed(context.query or "")
        yield


class Validator(SchemaExtension):
    """Knows again what is wrong with a document."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        schema: Any = context.schema
        context.pre_execution_errors = schema.validation_errors(context.query, context.graphql_document)
        yield


_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
"""Of the specification, and Strawberry's own."""


class CachedNameConverter(NameConverter):
    """Camel case, worked out once a name."""

    @functools.cache  # noqa: B019 - there is one, as long as there is a schema
    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name)


class RenewalSchema(strawberry.Schema):
    """A schema whose every error is reported by `errors.mask_error`, and that knows an operation again."""

    def __init__(self, *, extensions: Sequence[Callable[[], SchemaExtension]], **settings: Any) -> None:
        super().__init__(extensions=[*extensions, operation_cache.CacheOperation], **settings)
        _guard_changes(self._schema)
        self.operations = operation_cache.Operations(self._schema)
        self._problems: document_limits.DocumentCache[list[GraphQLError]] = document_limits.DocumentCache()
        self._watchers = [make for make in extensions if operation_cache.observes_execution(make())]

    def validation_errors(self, query: str, document: DocumentNode) -> list[GraphQLError]:
        """What is wrong with a document: the first errors, without names of the schema; known while it is kept.

        An extension that adds a rule (`execution_context.validation_rules`) is not heard.
        """
        found = self._problems.find(query)
        if found is None:
            found = validate(self._schema, document, _RULES, max_errors=ERRORS_MAX, hide_suggestions=True)
            self._problems.keep(query, found)
        return found

    def is_known_to_be_valid(self, query: str) -> bool:
        """Return whether a document has been found to be right, and need not be read again."""
        return self._problems.find(query) == []

    def is_valid(self, query: str) -> bool:
        """Return whether a document is right, which is found out now unless it is known."""
        try:
            return not self.validation_errors(query, document_limits.parsed(query))
        except GraphQLError:
            return False

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        for error in errors:
            shared_errors.mask_error(error)

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Context | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> StreamResult:
        """Executes an operation of a connection, each with a clock and loaders of its own."""
        assert context_value is not None
        return await super().stream(
            query, variable_values, context_value.copy_for_operation(), *args, **kwargs
        )

    async def execute_cached(
        self, query: str, variables: dict[str, Any], name: str | None, context: object
    ) -> ExecutionResult | None:
        """Executes an operation that was valid before; None if it must go the whole way.

        The same as `execute`, except that instants are left to orjson, which writes them alike.
        """
        operation = self.operations.find(query, name)
        if operation is None:
            return None
        if self._watchers:
            return await self._execute_watched(operation, query, variables, name, context)
        started = operation.start(variables, context)
        if started is None:
            return None
        request_record.note_operation(operation.name, operation.kind)
        return await self._finish(started)

    async def _execute_watched(
        self,
        operation: operation_cache.Operation,
        query: str,
        variables: dict[str, Any],
        name: str | None,
        context: object,
    ) -> ExecutionResult | None:
        watchers = [make() for make in self._watchers]
        started = operation.start(variables, context, self._get_middleware_manager(watchers))
        if started is None:
            return None
        request_record.note_operation(operation.name, operation.kind)
        watched = self._create_execution_context(query, _KINDS, variables, context, operation_name=name)
        watched.graphql_document = operation.document
        for watcher in watchers:
            watcher.execution_context = watched
        runner = self.create_extensions_runner(watched, watchers)
        async with runner.operation(), runner.executing():
            watched.result = await self._finish(started)
        watched.result.extensions = await runner.get_extensions_results(watched)
        return watched.result

    async def _finish(self, started: operation_cache.JSONExecutor) -> ExecutionResult:
        result = started.execute_operation()
        finished: Any = await result if isawaitable(result) else result
        if finished.errors:
            self.process_errors(finished.errors)
        return ExecutionResult(finished.data, finished.errors)


def _guard_changes(schema: GraphQLSchema) -> None:
    """Has every mutation, on whatever way it is executed, ask first what must not be refused after the change."""
    for field in schema.mutation_type.fields.values() if schema.mutation_type else ():
        assert field.resolve is not None
        field.resolve = _guarded(field.resolve)


def _guarded(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolve_if_allowed(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if not info.context.can_write:
            raise errors.ForbiddenError
        slices.check_below(info)
        return resolve(source, info, **arguments)

    return resolve_if_allowed


def build_schema(
    executor_class: type[StrawberryGraphQLCoreExecutionContext],
    *,
    query: type,
    mutation: type,
    subscription: type | None,
    scalar_map: Mapping[object, ScalarDefinition] = scalars.SCALARS,
    exception_handlers: Sequence[ExceptionHandler[Any]] = shared_errors.HANDLERS,
) -> RenewalSchema:
    """Build a schema of these roots, with the class that executes its operations."""
    return RenewalSchema(
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
            RequireOperationName,  # adds to what the validation found, so after it
        ],
    )
