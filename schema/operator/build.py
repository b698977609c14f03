"""The operators' executable schema, and its printed form that is kept in `operator.graphql`."""

from schema import build, executor
from schema.operator import mutations, queries, refusals, scalars

schema = build.make(
    executor.Executor,
    query=queries.Query,
    mutation=mutations.Mutation,
    subscription=None,
    scalar_map=scalars.SCALARS,
    exception_handlers=refusals.HANDLERS,
)


def sdl() -> str:
    """The schema as text."""
    return schema.as_str() + "\n"
