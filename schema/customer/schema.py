"""The customers' executable schema, and its printed form that is kept in `schema.graphql`."""

from schema.customer import mutation, query, refusals, subscription
from schema.execution import executor
from schema.execution.schema import build_schema
from schema.shared import errors

HANDLERS = (*errors.HANDLERS, refusals.NotRenewableHandler())
"""The errors that a mutation returns as data if its union has their type."""

schema = build_schema(
    executor.Executor,
    query=query.Query,
    mutation=mutation.Mutation,
    subscription=subscription.Subscription,
    exception_handlers=HANDLERS,
)


def sdl() -> str:
    """The schema as text."""
    return schema.as_str() + "\n"
