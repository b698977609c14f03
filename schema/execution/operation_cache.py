"""Operations that went the whole way once: what executing them again needs is kept, and no more is done.

Only what passed every rule is kept, so that what is found here need not pass them again: a rule must hang on
the document alone. An extension that watches each request, or each field, still does.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

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
from schema.execution import compiler, executor
from schema.limits import document_limits
from schema.shared import scalars

OPERATIONS_MAX = 200

_WATCHING = ("on_operation", "on_execute", "resolve", "get_results")


class JSONExecutor(executor.Executor):
    """Leaves instants to orjson, which writes them as the scalar does."""

    at_once: ClassVar[compiler.AtOnce] = {
        scalars.format_instant: lambda values: values if scalars.are_utc(values) else None
    }


class Operation:
    """One operation of a valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        self.document = document
        self.name = node.name.value if node.name else None
        self.kind = node.operation.value
        self._schema = schema
        signatures = (get_variable_signature(schema, each) for each in node.variable_definitions or ())
        self._variables = [each for each in signatures if isinstance(each, GraphQLVariableSignature)]
        self._node = node
        self._definitions = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._fragments = {name: FragmentDetails(each) for name, each in self._definitions.items()}
        self._compiled = executor.Compiled(document, node)

    def start(
        self, variables: Mapping[str, Any], context: object, middleware: MiddlewareManager | None = None
    ) -> JSONExecutor | None:
        """An executor of the operation, or None if the variables do not fit it."""
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

    def _coerce(self, variables: Mapping[str, Any]) -> VariableValues | None:
        """The variables' values, or None where there is an error to be worded."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in self._variables:
            given = variables.get(signature.name, Undefined)
            sources[signature.name] = VariableValueSource(signature, given)
            if given is not Undefined:
                coerced[signature.name] = _coerce_given(given, signature)
            elif signature.default is not None:
                coerced[signature.name] = coerce_default_value(signature)
            elif isinstance(signature.type, GraphQLNonNull):
                return None
        return None if Undefined in coerced.values() else VariableValues(sources, coerced)


def _coerce_given(value: Any, signature: GraphQLVariableSignature) -> Any:
    try:
        return coerce_input_value(value, signature.type)
    except Exception:  # noqa: BLE001 - a value that does not fit is for graphql-core to put into words
        return Undefined


class Operations:
    """The operations used most recently, by their document's text and their name."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: OrderedDict[tuple[str, str | None], Operation] = OrderedDict()

    def find(self, query: str, name: str | None) -> Operation | None:
        return lru_cache.find(self._kept, (query, name))

    def keep(self, query: str, name: str | None, document: DocumentNode) -> None:
        """Keeps the operation of that name, or the only one, of a document that is valid."""
        nodes = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        for node in nodes:
            is_named = node.name is not None and node.name.value == name
            if (is_named or name is None) and node.operation is not OperationType.SUBSCRIPTION:
                operation = Operation(self._schema, document, node)
                lru_cache.keep(self._kept, (query, name), operation, most=OPERATIONS_MAX)


class CacheOperation(SchemaExtension):
    """Keeps each operation that is about to be executed; the last extension, when every other has had its say."""

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        node = context.graphql_document and get_operation_ast(
            context.graphql_document, context.operation_name
        )
        if node:
            request_record.note_operation(node.name.value if node.name else None, node.operation.value)
        if (
            context.query
            and context.graphql_document
            and len(context.query) <= document_limits.CHARACTERS_KEPT_MAX
        ):
            name = context._provided_operation_name
            context.schema.operations.keep(context.query, name, context.graphql_document)  # type: ignore[attr-defined]
        yield


def observes_execution(extension: SchemaExtension) -> bool:
    """Whether an extension has something to do for a request whose document was validated before."""
    return any(getattr(type(extension), hook) is not getattr(SchemaExtension, hook) for hook in _WATCHING)
