"""The compiler that turns the selection on an object type into a function that completes a whole list of such objects.

The function works by columns: it reads each field of all objects, completes these values as a column, and finally
combines the columns into the dictionaries of the response. It handles plain fields only: `__typename`, columns and
attributes, methods that take only the object, slices of lists, and values that a loader or a batch read returns.

Compiled code never produces a GraphQL error. It raises an exception for any unexpected value, and its caller lets
graphql-core complete the same values again. That is allowed because "the resolution of fields other than top-level
mutation fields must always be side effect-free and idempotent" (GraphQL specification, "Normal and Serial Execution").
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from schema.execution import columns, leaf_types, readers
from schema.execution.completion import (
    Complete,
    Completion,
    Values,
    of_lists,
    of_union,
    unexpected,
    with_nulls,
)
from schema.fields import sources
from schema.limits import slices

ColumnCoercions = Mapping[readers.Read, Callable[[Values], Values | None]]
"""A map from the coercion of one value to a faster coercion of a column, which returns None if it cannot be used."""


class Compiler:
    """A compiler for the selections of one document.

    `collect` returns the fields of a type that are selected below field nodes.
    """

    def __init__(
        self,
        collect: Callable[[GraphQLObjectType, FieldDetailsList], GroupedFieldSet],
        get_field: Callable[[GraphQLObjectType, str], GraphQLField | None],
        column_coercions: ColumnCoercions,
    ) -> None:
        self._collect = collect
        self._get_field = get_field
        self._column_coercions = column_coercions

    def selection(
        self, object_type: GraphQLObjectType, fields: GroupedFieldSet, table: str | None = None
    ) -> "columns.PlainSelection | None":
        """Return the compiled fields, or None if one of them is not plain or if no field is read.

        If `table` is given, the values are rows that have this table joined, and the fields are read from its columns.
        """
        selection = columns.PlainSelection()
        for key, details in fields.items():
            if not self._add(selection, object_type, key, details, table):
                return None
        return selection if selection.reads else None

    def immediate(
        self, object_type: GraphQLObjectType, fields: GroupedFieldSet
    ) -> "tuple[columns.PlainSelection | None, GroupedFieldSet]":
        """Return two values: the compiled synchronous plain fields (None if none is read), and the other fields."""
        plain = {}
        for key, details in fields.items():
            alone = columns.PlainSelection()
            if self._add(alone, object_type, key, details) and not alone.waits:
                plain[key] = details
        others = {key: details for key, details in fields.items() if key not in plain}
        return self.selection(object_type, plain), others

    def completion(
        self, return_type: GraphQLOutputType, details: FieldDetailsList, table: str | None = None
    ) -> Completion | None:
        """Return the completion of a type, or None if graphql-core must complete it.

        `table` has the same meaning as in `selection`.
        """
        nullable = not isinstance(return_type, GraphQLNonNull)
        match return_type.of_type if isinstance(return_type, GraphQLNonNull) else return_type:
            case GraphQLScalarType() as scalar:
                return Completion(self._scalar(scalar, nullable=nullable))
            case GraphQLEnumType() as enum:
                return Completion(leaf_types.enum(enum, nullable=nullable))
            case GraphQLList() as list_type:
                if items := self.completion(list_type.of_type, details):
                    return Completion(with_nulls(of_lists(items.complete), is_nullable=nullable), items.waits)
            case GraphQLObjectType(is_type_of=None) as object_type:
                if selection := self.selection(object_type, self._collect(object_type, details), table):
                    return Completion(with_nulls(selection.complete, is_nullable=nullable), selection.waits)
            case GraphQLUnionType(resolve_type=None) as union:
                members = {member.name: self.completion(member, details) for member in union.types}
                if compiled := {name: completion for name, completion in members.items() if completion}:
                    waits = any(completion.waits for completion in compiled.values())
                    return Completion(with_nulls(of_union(compiled), is_nullable=nullable), waits)
        return None

    def _add(
        self,
        selection: "columns.PlainSelection",
        parent: GraphQLObjectType,
        key: str,
        details: FieldDetailsList,
        table: str | None = None,
    ) -> bool:
        name = details[0].node.name.value
        field = self._get_field(parent, name)
        if name == "__typename":
            selection.add_constant(key, parent.name)
        elif field is not None:  # graphql-core omits an unknown field
            source = _source_of(field, details)
            if source is None or (
                isinstance(source, sources.Loaded)
                and not source.is_count
                and is_leaf_type(get_named_type(field.type))
            ):
                return False
            if table is not None:
                if not isinstance(source, sources.ColumnSource | sources.Loaded):
                    return False
                source = source.within(table)
            completion = self.completion(field.type, details)
            if completion is None:
                return False
            joined = None
            if isinstance(source, sources.Loaded) and source.joined is not None:
                joined = self.completion(field.type, details, source.joined)
            selection.add(key, source, completion, joined)
        return True

    def _scalar(self, scalar: GraphQLScalarType, *, nullable: bool) -> Complete:
        if scalar in leaf_types.BUILT_IN:
            return leaf_types.leaf(*leaf_types.BUILT_IN[scalar], nullable=nullable)
        coerce = scalar.coerce_output_value
        coerce_column = self._column_coercions.get(coerce)

        def convert(values: Values) -> Values:
            if coerce_column is not None and (coerced := coerce_column(values)) is not None:
                return coerced
            coerced = [coerce(value) for value in values]
            return coerced if leaf_types.INERT.issuperset(map(type, coerced)) else unexpected()

        return leaf_types.leaf(leaf_types.INERT, convert, nullable=nullable)


def _source_of(field: GraphQLField, details: FieldDetailsList) -> readers.Source | None:
    """Return the source of a field's value, or None if only the field's resolver can compute the value."""
    definition = (field.extensions or {}).get(GraphQLCoreConverter.DEFINITION_BACKREF)
    # A subclass, an extension or a permission may resolve the field differently.
    if type(definition) is not StrawberryField or definition.extensions or definition.permission_classes:
        return None
    reading = sources.reading_of(definition.metadata)
    if isinstance(reading, sources.ColumnSource | sources.Loaded | sources.Batched):
        return reading
    if isinstance(reading, sources.Sliced):
        return readers.ListSlice(reading, slices.Bounds(details[0].node))
    resolver = definition.base_resolver
    if field.args or definition.is_async:
        return None
    if resolver is None:
        if definition.default_resolver is sources.read:
            return sources.ColumnSource(definition.python_name)
        return readers.Attribute(definition.python_name) if definition.default_resolver is getattr else None
    if resolver.info_parameter or resolver.root_parameter:
        return None
    function: Any = resolver.wrapped_func
    return readers.Method(function) if resolver.self_parameter or resolver.parent_parameter else None
