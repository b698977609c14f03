"""graphql-core's executor, extended by compiled code for plain fields.

The compiled selections of the latest operations are cached, unless their document is too long. An operation whose
document has @skip or @include has one variant for each combination of the values of the variables in these directives.
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
from schema.execution import columns, compiler, root_field
from schema.execution.completion import LISTS, Completion, Request
from schema.limits import document_cache
from schema.shared import scalars

VARIANTS_MAX = 64
"""Maximum number of compiled variants of one operation. Further combinations are left to graphql-core."""


class Variant:
    """The selections of an operation for one combination of the values of its @skip and @include variables."""

    def __init__(self) -> None:
        self.root: GroupedFieldSet | None = None
        self.root_field: root_field.RootField | None = None
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self.lists: dict[tuple[GraphQLOutputType, int], tuple[FieldDetailsList, Completion | None]] = {}
        self.objects: dict[int, Split] = {}


class Split:
    """The fields of one object, split into compiled fields and fields for graphql-core."""

    def __init__(
        self, fields: GroupedFieldSet, selection: columns.PlainSelection | None, others: GroupedFieldSet
    ) -> None:
        self.fields = fields  # a reference, so that `id(fields)`, the key of this split, stays unique
        self.selection = selection
        self.others = others


class Compiled:
    """The variants of one operation."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        directives = _Directives()
        visit(document, directives)
        self.operation = operation  # a reference, so that `id(operation)`, a part of the key, stays unique
        self._names = tuple(sorted(directives.variables))
        self._variants: dict[tuple[bool | None, ...], Variant] | None = (
            None if directives.is_unsupported else {}
        )

    def variant(self, values: dict[str, object]) -> Variant | None:
        """Return the variant for these variables; None if there are VARIANTS_MAX others, or for unsupported syntax."""
        if self._variants is None:
            return None
        conditions = (values.get(name) for name in self._names)
        key = tuple(value if isinstance(value, bool) else None for value in conditions)
        variant = self._variants.get(key)
        if variant is None and len(self._variants) < VARIANTS_MAX:
            variant = self._variants[key] = Variant()
        return variant


class _Directives(Visitor):
    """A visitor that collects the variables of @skip and @include, and detects syntax that is not supported."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.is_unsupported = False

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in ("skip", "include"):
            values = [argument.value for argument in node.arguments or ()]
            self.variables.update(value.name.value for value in values if isinstance(value, VariableNode))
        else:
            self.is_unsupported = True

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        self.is_unsupported = self.is_unsupported or bool(node.variable_definitions)


_compiled: OrderedDict[tuple[GraphQLSchema, type, int], Compiled] = OrderedDict()


def compiled(
    executor: type, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Compiled:
    """Return the compiled variants of an operation for one class of executors, from an LRU cache if possible."""
    key = (schema, executor, id(operation))
    result = lru_cache.find(_compiled, key)
    if result is None:
        result = Compiled(document, operation)
        if document.loc and document.loc.end <= document_cache.CHARACTERS_KEPT_MAX:
            lru_cache.keep(_compiled, key, result, size_max=document_cache.DOCUMENTS_MAX)
    return result


class Executor(StrawberryGraphQLCoreExecutionContext):
    """An executor with the same results as graphql-core's own, including errors and their paths."""

    column_coercions: ClassVar[compiler.ColumnCoercions] = {scalars.format_instant: scalars.format_instants}

    variant: Variant | None = None
    request: Request

    @classmethod
    def build(
        cls, schema: GraphQLSchema, document: DocumentNode, *args: Any, **kwargs: Any
    ) -> "list[GraphQLError] | Executor":
        """Return an executor of an operation, or the errors of its name or its variables."""
        executor = super().build(schema, document, *args, **kwargs)
        if isinstance(executor, Executor):
            executor.use(compiled(cls, schema, document, executor.operation))
        return executor  # type: ignore[return-value]

    def use(self, compiled_operation: Compiled) -> None:
        """Use the compiled variants of the operation, unless an extension observes each field."""
        manager = self.middleware_manager
        if manager is None or not manager.middlewares:
            self.middleware_manager = None
            self.variant = compiled_operation.variant(self.variable_values.coerced)
            self.request = Request(self.context_value, self.variable_values.coerced)
            if self.variant is not None:
                self._relevant_sub_fields = self.variant.collected

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute the operation: by the compiled root field if there is one, or else by graphql-core."""
        if self.variant is None or self.variant.root_field is None:
            return super().execute_operation(serially)
        return self.variant.root_field.execute(self, self.request)

    def execute_collected_root_fields(
        self, root_type: Any, root_value: Any, fields: Any, serially: Any, new_defer_usages: Any
    ) -> Any:
        """Execute the root fields. The first request of a variant compiles a query that has only one root field."""
        if self.variant is not None:
            # All requests use the selection of the first request, because its `id` is the key of compiled code.
            if self.variant.root is None:
                self.variant.root = fields
                self.variant.root_field = root_field.RootField.compile(self, fields, self._compiler())
            fields = self.variant.root
        return super().execute_collected_root_fields(
            root_type, root_value, fields, serially, new_defer_usages
        )

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        details: FieldDetailsList,
        info: GraphQLResolveInfo[object],
        path: Path,
        items: Any,
        position: Any,
    ) -> Any:
        """Complete a list, by compiled code if possible."""

        def by_core() -> object:
            return super(Executor, self).complete_iterable_value(
                item_type, details, info, path, items, position
            )

        if self.variant is None or not items or type(items) not in LISTS:
            return by_core()
        completion = self._list_completion(item_type, details, self.variant)
        completed = None
        if completion is not None:
            with suppress(Exception):  # graphql-core completes the values and reports the error
                completed = completion.complete(self.request, items)
        if completed is None:
            return by_core()
        return _or_by_core(completed, by_core) if iscoroutine(completed) else completed

    def execute_fields(
        self, parent_type: GraphQLObjectType, source: Any, path: Path | None, fields: Any, position: Any
    ) -> Any:
        """Execute the fields of an object, by compiled code if possible."""

        def by_core(core_fields: Any = fields) -> Any:
            return super(Executor, self).execute_fields(parent_type, source, path, core_fields, position)

        if self.variant is None or path is None:
            return by_core()
        split = self._split(parent_type, fields, self.variant)
        completed = None
        if split.selection is not None:
            with suppress(Exception):  # graphql-core completes the values and reports the error
                completed = split.selection.complete(self.request, (source,))
        if completed is None:
            return by_core()
        if iscoroutine(completed):
            return _or_by_core(_first(completed), by_core)
        if not split.others:
            return completed[0]
        others = by_core(split.others)
        if isawaitable(others):
            return _merge_async(fields, completed[0], others)
        return _merge(fields, completed[0], others)

    def _list_completion(
        self, item_type: GraphQLOutputType, details: FieldDetailsList, variant: Variant
    ) -> Completion | None:
        key = (item_type, id(details))
        entry = variant.lists.get(key)
        if entry is None:
            completion = None
            with suppress(Exception):  # graphql-core reports what cannot be collected or compiled
                completion = self._compiler().completion(item_type, details)
            entry = variant.lists[key] = (details, completion)
        return entry[1]

    def _split(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet, variant: Variant) -> Split:
        split = variant.objects.get(id(fields))
        if split is None:
            field_compiler = self._compiler()
            selection, others = None, GroupedFieldSet()
            with suppress(Exception):  # graphql-core reports what cannot be collected or compiled
                selection = field_compiler.selection(parent_type, fields)
                if selection is None:
                    selection, others = field_compiler.immediate(parent_type, fields)
            split = variant.objects[id(fields)] = Split(fields, selection, others)
        return split

    def _compiler(self) -> compiler.Compiler:
        return compiler.Compiler(
            lambda object_type, details: self.collect_subfields(object_type, details).grouped_field_set,
            self.schema.get_field,
            self.column_coercions,
        )


async def _or_by_core(completed: Awaitable[Any], by_core: Any) -> Any:
    with suppress(Exception):  # graphql-core completes the values and reports the error
        return await completed
    result = by_core()
    return await result if isawaitable(result) else result


async def _first(completed: Awaitable[list[object]]) -> object:
    return (await completed)[0]


def _merge(fields: GroupedFieldSet, plain: dict[str, object], others: dict[str, object]) -> dict[str, object]:
    """Merge the two parts of a result into one, with the fields in the order of the selection."""
    return {
        key: plain[key] if key in plain else others[key] for key in fields if key in plain or key in others
    }


async def _merge_async(fields: GroupedFieldSet, plain: dict[str, Any], others: Awaitable[Any]) -> Any:
    return _merge(fields, plain, await others)
