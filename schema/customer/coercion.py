"""Values that come another way than in a GraphQL variable, read by the same types: there is no second parser."""

import datetime as dt
from typing import Any, TypeVar

from graphql import GraphQLError, coerce_input_value
from graphql.utilities import validate_input_value
from strawberry.types.arguments import convert_argument

from renewals.domain import errors
from schema.customer import schema as customer_schema

Input = TypeVar("Input")


def read_input(value: object, input_type: type[Input], path: str) -> Input | None:
    """What a resolver is given for a variable of an input type; raises InvalidInputError where it would be refused."""
    schema, definition = customer_schema.schema, input_type.__strawberry_definition__  # type: ignore[attr-defined]
    coerced = _coerce(value, definition.name, path)
    found: Any = convert_argument(coerced, input_type, schema.schema_converter.scalar_registry, schema.config)
    return found  # type: ignore[no-any-return]


def read_instant(value: object, path: str) -> dt.datetime | None:
    """What a resolver is given for a DateTime variable; raises InvalidInputError where it would be refused."""
    found: dt.datetime | None = _coerce(value, "DateTime", path)
    return found


def _coerce(value: object, type_name: str, path: str) -> Any:
    """The value as graphql-core reads it; the first thing that does not fit is refused by its place."""
    of_type: Any = customer_schema.schema._schema.type_map[type_name]

    def refuse(error: GraphQLError, below: list[str | int]) -> None:
        raise errors.InvalidInputError(".".join(map(str, [path, *below])), error.message)

    validate_input_value(value, of_type, refuse, hide_suggestions=True)
    return coerce_input_value(value, of_type)
