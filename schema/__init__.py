"""The GraphQL schemas: types, and resolvers that make one call of the domain each."""

from schema.shared import enums as enums  # must be registered before the types that use them
