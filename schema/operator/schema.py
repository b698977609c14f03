"""The operators' executable schema; `operator.graphql` is its printed form."""

from schema.execution import executor
from schema.execution import schema as execution_schema
from schema.operator import errors, mutation, query, scalars

schema = execution_schema.build_schema(
    executor.Executor,
    query=query.Query,
    mutation=mutation.Mutation,
    subscription=None,
    scalar_map=scalars.SCALARS,
    exception_handlers=errors.HANDLERS,
)


def sdl() -> str:
    """Return the printed schema."""
    return schema.as_str() + "\n"
