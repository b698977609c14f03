"""The operators' executable schema, and its printed form that is kept in `operator.graphql`."""

from schema.customer import schema as customer_schema
from schema.execution import executor
from schema.operator import errors, mutation, query, scalars

schema = customer_schema.make(
    executor.Executor,
    query=query.Query,
    mutation=mutation.Mutation,
    subscription=None,
    scalar_map=scalars.SCALARS,
    exception_handlers=errors.HANDLERS,
)


def sdl() -> str:
    """The schema as text."""
    return schema.as_str() + "\n"
