"""A cache of validated operations, which are executed again without parsing and validation.

Only operations of valid documents are cached. They are not validated again, so validation rules must depend on the
document alone. Extensions that observe each request or each field also run for cached operations.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import ClassVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    get_operation_ast,
)
from graphql.execution import MiddlewareManager, default_field_resolver, default_type_resolver
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension

from renewals.concurrency import lru_cache
from renewals.observability import request_record
from schema.execution import compiler, executor, variants
from schema.limits import document_cache
from schema.shared import scalars

OPERATIONS_MAX = 200
"""Maximum number of operations in the cache."""

_OBSERVING_HOOKS = ("on_operation", "on_execute", "resolve", "get_results")


class JSONExecutor(executor.Executor):
    """An executor whose compiled code leaves instants in UTC to orjson, which formats them as the scalar does."""

    column_coercions: ClassVar[compiler.ColumnCoercions] = {
        scalars.format_instant: lambda values: values if scalars.are_utc(values) else None
    }


class PreparedOperation:
    """One operation of a valid document, ready to be executed."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        self.document = document
        self.name = node.name.value if node.name else None
        self.kind = node.operation.value
        self._schema = schema
        signatures = (
            get_variable_signature(schema, definition) for definition in node.variable_definitions or ()
        )
        self._variables = [
            signature for signature in signatures if isinstance(signature, GraphQLVariableSignature)
        ]
        self._node = node
        self._definitions = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._fragments = {
            name: FragmentDetails(definition) for name, definition in self._definitions.items()
        }
        self._compiled = variants.Compiled(document, node)

    def start(
        self, variables: Mapping[str, object], context: object, middleware: MiddlewareManager | None = None
    ) -> JSONExecutor | None:
        """Return an executor of the operation, or None if graphql-core must report errors of the variables."""
        values = self._coerce(variables)
        if values is None:
            return None
        started = JSONExecutor(
            self._schema,
            self._definitions,
            self._fragments,
            None,
            context,
            self._node,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            middleware_manager=middleware,
            is_awaitable=optimized_is_awaitable,
        )
        started.use(self._compiled)
        return started

    def _coerce(self, variables: Mapping[str, object]) -> VariableValues | None:
        """Return the coerced variables, or None if a required one is missing or one does not fit its type."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, object] = {}
        for signature in self._variables:
            value = variables.get(signature.name, Undefined)
            sources[signature.name] = VariableValueSource(signature, value)
            if value is not Undefined:
                coerced[signature.name] = _coerce_value(value, signature)
            elif signature.default is not None:
                coerced[signature.name] = coerce_default_value(signature)
            elif isinstance(signature.type, GraphQLNonNull):
                return None
        return None if Undefined in coerced.values() else VariableValues(sources, coerced)


def _coerce_value(value: object, signature: GraphQLVariableSignature) -> object:
    try:
        return coerce_input_value(value, signature.type)
    except Exception:  # noqa: BLE001 - graphql-core reports the error
        return Undefined


class Operations:
    """An LRU cache of operations, by the text of the document and the name of the operation."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: OrderedDict[tuple[str, str | None], PreparedOperation] = OrderedDict()

    def find(self, query: str, name: str | None) -> PreparedOperation | None:
        """Return the cached operation; None if it is not cached."""
        return lru_cache.find(self._kept, (query, name))

    def keep(self, query: str, name: str | None, document: DocumentNode) -> None:
        """Cache the operation `name` of a valid document, or the only operation if `name` is None.

        Subscriptions are not cached.
        """
        nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        for node in nodes:
            is_named = node.name is not None and node.name.value == name
            if (is_named or name is None) and node.operation is not OperationType.SUBSCRIPTION:
                operation = PreparedOperation(self._schema, document, node)
                lru_cache.keep(self._kept, (query, name), operation, size_max=OPERATIONS_MAX)


class CacheOperation(SchemaExtension):
    """The extension that caches operations before their execution. It must be the last extension."""

    def on_execute(self) -> Iterator[None]:
        """Note the operation in the record of the request, and cache it unless its document is too long.

        Subscriptions are not cached.
        """
        context = self.execution_context
        node = context.graphql_document and get_operation_ast(
            context.graphql_document, context.operation_name
        )
        if node:
            request_record.note_operation(node.name.value if node.name else None, node.operation.value)
        if (
            context.query
            and context.graphql_document
            and len(context.query) <= document_cache.CHARACTERS_KEPT_MAX
        ):
            name = context._provided_operation_name
            context.schema.operations.keep(context.query, name, context.graphql_document)  # type: ignore[attr-defined]
        yield


def observes_execution(extension: SchemaExtension) -> bool:
    """Return whether an extension has a hook that also runs for a cached operation."""
    return any(
        getattr(type(extension), hook) is not getattr(SchemaExtension, hook) for hook in _OBSERVING_HOOKS
    )
