"""graphql-core's executor, which completes what is plain by compiled code and all else as it always does.

The compiled selections of the latest documents are kept; under @skip and @include, one for each way their
variables fall.
"""

from collections import OrderedDict
from collections.abc import Awaitable
from contextlib import suppress
from inspect import isawaitable, iscoroutine
from typing import Any, ClassVar

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from renewals.concurrency import lru_cache
from schema.execution import columns, compiler
from schema.limits import document_limits
from schema.shared import scalars

VARIANTS_MAX = 64
"""How many ways the variables of one document's @skip and @include may fall and be compiled."""


class Variant:
    """What is known of a document's selections once it is known what its @skip and @include leave."""

    def __init__(self) -> None:
        self.root: GroupedFieldSet | None = None
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self.lists: dict[
            tuple[GraphQLOutputType, int], tuple[FieldDetailsList, columns.Completion | None]
        ] = {}
        self.objects: dict[int, Split] = {}


class Split:
    """The fields of one object: what is compiled, and what graphql-core executes."""

    def __init__(
        self, fields: GroupedFieldSet, selection: columns.Selection | None, others: GroupedFieldSet
    ) -> None:
        self.fields = fields  # kept, for its identity is the key under which this is found
        self.selection = selection
        self.others = others


class Compiled:
    """The variants of one operation."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        found = _Directives()
        visit(document, found)
        self.operation = operation  # kept, for its identity is the key under which this is found
        self._names = tuple(sorted(found.variables))
        self._variants: dict[tuple[bool | None, ...], Variant] | None = None if found.is_beyond else {}

    def variant(self, values: dict[str, Any]) -> Variant | None:
        """What is known under these values of the variables; None if nothing may be kept."""
        if self._variants is None:
            return None
        falls = (values.get(name) for name in self._names)
        key = tuple(value if isinstance(value, bool) else None for value in falls)
        variant = self._variants.get(key)
        if variant is None and len(self._variants) < VARIANTS_MAX:
            variant = self._variants[key] = Variant()
        return variant


class _Directives(Visitor):
    """Finds the variables of @skip and @include, and whether there is what changes a selection otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.is_beyond = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in ("skip", "include"):
            values = [argument.value for argument in node.arguments or ()]
            self.variables.update(value.name.value for value in values if isinstance(value, VariableNode))
        else:
            self.is_beyond = True

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.is_beyond = self.is_beyond or bool(node.variable_definitions)


_compiled: OrderedDict[tuple[GraphQLSchema, type, int], Compiled] = OrderedDict()


def compiled(
    executor: type, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Compiled:
    """What is kept of an operation, for one kind of executor; those used least recently are forgotten."""
    key = (schema, executor, id(operation))
    found = lru_cache.find(_compiled, key)
    if found is None:
        found = Compiled(document, operation)
        if document.loc and document.loc.end <= document_limits.CHARACTERS_KEPT_MAX:
            lru_cache.keep(_compiled, key, found, most=document_limits.DOCUMENTS_MAX)
    return found


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation; answers as graphql-core's own would, errors and their paths included."""

    at_once: ClassVar[compiler.AtOnce] = {scalars.format_instant: scalars.format_instants}

    variant: Variant | None = None
    request: columns.Request

    @classmethod
    def build(
        cls, schema: GraphQLSchema, document: DocumentNode, *args: Any, **kwargs: Any
    ) -> "list[GraphQLError] | Executor":
        executor = super().build(schema, document, *args, **kwargs)
        if isinstance(executor, Executor):
            executor.use(compiled(cls, schema, document, executor.operation))
        return executor  # type: ignore[return-value]

    def use(self, known: Compiled) -> None:
        """Uses what is known of the operation, unless extensions want to see each field resolved."""
        manager = self.middleware_manager
        if manager is None or not manager.middlewares:
            self.middleware_manager = None
            self.variant = known.variant(self.variable_values.coerced)
            self.request = columns.Request(self.context_value, self.variable_values.coerced)
            if self.variant is not None:
                self._relevant_sub_fields = self.variant.collected

    def execute_collected_root_fields(
        self, root_type: Any, root_value: Any, fields: Any, serially: Any, new_defer_usages: Any
    ) -> Any:
        if self.variant is not None:
            # The first request's selection serves all: what is compiled is found by its identity.
            if self.variant.root is None:
                self.variant.root = fields
            fields = self.variant.root
        return super().execute_collected_root_fields(
            root_type, root_value, fields, serially, new_defer_usages
        )

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        details: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Any,
        position: Any,
    ) -> Any:
        def by_core() -> Any:
            return super(Executor, self).complete_iterable_value(
                item_type, details, info, path, items, position
            )

        if self.variant is None or not items or type(items) not in columns.LISTS:
            return by_core()
        completion = self._list_completion(item_type, details, self.variant)
        completed = None
        if completion is not None:
            with suppress(Exception):  # whatever it is, graphql-core says what it means
                completed = completion.complete(self.request, items)
        if completed is None:
            return by_core()
        return _or_else(completed, by_core) if iscoroutine(completed) else completed

    def execute_fields(
        self, parent_type: GraphQLObjectType, source: Any, path: Path | None, fields: Any, position: Any
    ) -> Any:
        def by_core(chosen: Any = fields) -> Any:
            return super(Executor, self).execute_fields(parent_type, source, path, chosen, position)

        if self.variant is None or path is None:
            return by_core()
        split = self._split(parent_type, fields, self.variant)
        completed = None
        if split.selection is not None:
            with suppress(Exception):  # as above
                completed = split.selection.complete(self.request, (source,))
        if completed is None:
            return by_core()
        if iscoroutine(completed):
            return _or_else(_first(completed), by_core)
        if not split.others:
            return completed[0]
        others = by_core(split.others)
        if isawaitable(others):
            return _merged_later(fields, completed[0], others)
        return _merged(fields, completed[0], others)

    def _list_completion(
        self, item_type: GraphQLOutputType, details: FieldDetailsList, variant: Variant
    ) -> columns.Completion | None:
        key = (item_type, id(details))
        known = variant.lists.get(key)
        if known is None:
            completion = None
            with suppress(Exception):  # what cannot be collected, or compiled
                completion = self._compiler().completion(item_type, details)
            known = variant.lists[key] = (details, completion)
        return known[1]

    def _split(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet, variant: Variant) -> Split:
        split = variant.objects.get(id(fields))
        if split is None:
            make = self._compiler()
            selection, others = None, GroupedFieldSet()
            with suppress(Exception):  # as above
                selection = make.selection(parent_type, fields)
                if selection is None:
                    selection, others = make.immediate(parent_type, fields)
            split = variant.objects[id(fields)] = Split(fields, selection, others)
        return split

    def _compiler(self) -> compiler.Compiler:
        return compiler.Compiler(
            lambda object_type, details: self.collect_subfields(object_type, details).grouped_field_set,
            self.schema.get_field,
            self.at_once,
        )


async def _or_else(completed: Awaitable[Any], by_core: Any) -> Any:
    with suppress(Exception):  # as above
        return await completed
    answer = by_core()
    return await answer if isawaitable(answer) else answer


async def _first(completed: Awaitable[list[Any]]) -> Any:
    return (await completed)[0]


def _merged(fields: GroupedFieldSet, plain: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """The two parts of an answer in the order of the selection."""
    return {
        key: plain[key] if key in plain else others[key] for key in fields if key in plain or key in others
    }


async def _merged_later(fields: GroupedFieldSet, plain: dict[str, Any], others: Awaitable[Any]) -> Any:
    return _merged(fields, plain, await others)
