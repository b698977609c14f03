"""The customers' executable schema, and its printed form that is kept in `schema.graphql`."""

from schema.customer import mutation, query, subscription
from schema.execution import executor
from schema.execution.schema import build_schema

schema = build_schema(
    executor.Executor, query=query.Query, mutation=mutation.Mutation, subscription=subscription.Subscription
)


def sdl() -> str:
    """The schema as text."""
    return schema.as_str() + "\n"
