"""The GraphQL schemas: types, and resolvers that call `renewals`."""

from schema.shared import enums as enums  # must be registered before the types that use them
