"""The GraphQL schemas: types, and resolvers that turn an input into one call of the domain."""

from schema.shared import enums as enums  # registered before any type is made that has them
