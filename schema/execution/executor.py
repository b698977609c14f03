"""graphql-core's executor, extended by compiled code for plain fields."""

from collections.abc import Awaitable
from contextlib import suppress
from inspect import isawaitable, iscoroutine
from typing import Any, ClassVar

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution import compiler, root_field, variants
from schema.execution.completion import LISTS, Completion, Request
from schema.execution.variants import Split, Variant
from schema.shared import scalars


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
            executor.use(variants.compiled(cls, schema, document, executor.operation))
        return executor  # type: ignore[return-value]

    def use(self, compiled_operation: variants.Compiled) -> None:
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
