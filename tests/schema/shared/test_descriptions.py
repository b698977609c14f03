"""Every element of a schema has a description, for readers who have only the schema."""

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from schema.customer import schema as customer_schema
from schema.operator import schema as operator_schema

SCHEMAS = {"customers": customer_schema.schema._schema, "operators": operator_schema.schema._schema}


def find_undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """Yield the paths of all elements without a description."""
    for name, graphql_type in schema.type_map.items():
        if is_introspection_type(graphql_type) or is_specified_scalar_type(graphql_type):
            continue
        if not graphql_type.description:
            yield name
        yield from (f"{name}.{member}" for member in _find_undescribed_members(graphql_type))


def _find_undescribed_members(graphql_type: GraphQLNamedType) -> Iterator[str]:
    match graphql_type:
        case GraphQLObjectType() | GraphQLInterfaceType():
            for name, field in graphql_type.fields.items():
                yield from _find_undescribed_parts(name, field)
        case GraphQLInputObjectType():
            yield from (name for name, field in graphql_type.fields.items() if not field.description)
        case GraphQLEnumType():
            yield from (name for name, value in graphql_type.values.items() if not value.description)


def _find_undescribed_parts(name: str, field: GraphQLField) -> Iterator[str]:
    if not field.description:
        yield name
    for argument_name, argument in field.args.items():
        if not argument.description:
            yield f"{name}({argument_name})"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_element_has_a_description(name: str) -> None:
    assert list(find_undescribed(SCHEMAS[name])) == []


def test_each_kind_of_element_without_a_description_is_found() -> None:
    schema = build_schema(
        """
        "d" type Query { a(b: Int): Int "d" c("d" e: I): E }
        "d" input I { f: Int "d" g: Int }
        "d" enum E { H "d" J }
        "d" interface K { l: Int }
        union M = Query
        """
    )
    assert list(find_undescribed(schema)) == ["Query.a", "Query.a(b)", "I.f", "E.H", "K.l", "M"]
