"""Operations that went the whole way once: what executing them again needs is kept, and no more is done.

Only what passed every rule and limit is kept, so that what is found here need not pass them again. An
extension that watches each request, or each field, still does.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution import MiddlewareManager, default_field_resolver, default_type_resolver
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import get_variable_values
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension

from schema import executor
from schema.context import Context

OPERATIONS_MAX = 500
QUERY_CHARACTERS_MAX = 20_000

_WATCHING = ("on_operation", "on_execute", "resolve", "get_results")


class JSONExecutor(executor.Executor):
    """Leaves to orjson what orjson writes as the scalar does."""

    written: ClassVar[dict[str, str]] = {"DateTime": "type({v}) is datetime and {v}.tzinfo is UTC"}


class Operation:
    """One operation of a valid document."""

    def __init__(self, document: DocumentNode, node: OperationDefinitionNode) -> None:
        self.document = document
        self._node = node
        self._definitions = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._fragments = {name: FragmentDetails(each) for name, each in self._definitions.items()}
        self._compiled = executor.Compiled(document, node)

    def start(
        self,
        schema: GraphQLSchema,
        variables: Mapping[str, Any],
        context: Context,
        middleware: MiddlewareManager | None = None,
    ) -> JSONExecutor | None:
        """An executor of the operation, or None if the variables do not fit it."""
        values = get_variable_values(schema, self._node.variable_definitions or (), dict(variables))
        if isinstance(values, list):
            return None
        started = JSONExecutor(
            schema,
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


class Operations:
    """The operations used most recently, by their document's text and their name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None], Operation] = OrderedDict()

    def find(self, query: str, name: str | None) -> Operation | None:
        found = self._kept.get((query, name))
        if found is not None:
            self._kept.move_to_end((query, name))
        return found

    def keep(self, query: str, name: str | None, document: DocumentNode) -> None:
        """Keeps the operation of that name, or the only one, of a document that is valid."""
        nodes = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        for node in nodes:
            is_named = node.name is not None and node.name.value == name
            if (is_named or name is None) and node.operation is not OperationType.SUBSCRIPTION:
                self._kept[query, name] = Operation(document, node)
        if len(self._kept) > OPERATIONS_MAX:
            self._kept.popitem(last=False)

    def keeper(self) -> type[SchemaExtension]:
        """An extension that keeps each operation that is about to be executed."""
        operations = self

        class Keeper(SchemaExtension):
            def on_execute(self) -> Iterator[None]:
                context = self.execution_context
                if context.query and context.graphql_document and len(context.query) <= QUERY_CHARACTERS_MAX:
                    operations.keep(context.query, context._provided_operation_name, context.graphql_document)
                yield

        return Keeper


def watches(extension: SchemaExtension) -> bool:
    """Whether an extension has something to do for a request whose document was validated before."""
    return any(getattr(type(extension), hook) is not getattr(SchemaExtension, hook) for hook in _WATCHING)
