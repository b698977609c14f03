"""The customers' executable schema; `schema.graphql` is its printed form."""

from schema.customer import mutation, query, refusals, subscription
from schema.execution import executor
from schema.execution.schema import RenewalSchema, build_schema
from schema.shared import errors

HANDLERS = (*errors.HANDLERS, refusals.NotRenewableHandler())
"""The converters of exceptions to errors. A mutation returns an error as data if its union has the error's type."""


def build(query_type: type, schema_class: type[RenewalSchema]) -> RenewalSchema:
    """Build a schema with the customers' mutations and subscriptions."""
    return build_schema(
        executor.Executor,
        schema_class=schema_class,
        query=query_type,
        mutation=mutation.Mutation,
        subscription=subscription.Subscription,
        exception_handlers=HANDLERS,
    )


schema = build(query.Query, RenewalSchema)


def sdl() -> str:
    """Return the schema as text."""
    return schema.as_str() + "\n"
