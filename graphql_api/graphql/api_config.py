"""The two GraphQL APIs: the schema of each, and how its callers authenticate."""

import functools
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from graphql_api.auth import authentication
from renewals import config
from renewals.domain.clock import Clock
from schema.context import Context
from schema.customer import federation as customer_federation
from schema.customer import schema as customer_schema
from schema.execution import schema as execution_schema
from schema.operator import context as operator_context
from schema.operator import federation as operator_federation
from schema.operator import schema as operator_schema

ApiContext = Context | operator_context.OperatorContext
Authenticate = Callable[[str, Clock], Awaitable[ApiContext | None]]
"""A function that returns the context for an Authorization header, or None if its key or token gives no access."""


class ApiConfig(NamedTuple):
    """A schema, how its callers authenticate, and whether it has subscriptions."""

    schema: execution_schema.RenewalSchema
    authenticate: Authenticate
    has_subscriptions: bool


async def _authenticate_customer(header: str, clock: Clock) -> Context | None:
    customer = await authentication.identify_customer(header, clock())
    if customer is None or customer.account_id is None:
        return None
    return Context(
        customer.account_id,
        clock,
        caller=customer.rate_limit_key,
        can_write=authentication.can_write(customer),
        is_authorized=functools.partial(authentication.is_still_valid, header, customer.account_id, clock),
        name=customer.name,
        test_clock=customer.test_clock,
    )


async def _authenticate_operator(header: str, clock: Clock) -> operator_context.OperatorContext | None:
    operator = await authentication.identify_operator(header, clock())
    return None if operator is None else operator_context.OperatorContext(operator=operator, clock=clock)


def customers(settings: config.Settings) -> ApiConfig:
    """Return the customer API. Its schema is a subgraph if `settings.federation` is true."""
    schema = customer_federation.build() if settings.federation else customer_schema.schema
    return ApiConfig(schema, _authenticate_customer, has_subscriptions=True)


def operators(settings: config.Settings) -> ApiConfig:
    """Return the operator API. Its schema is a subgraph if `settings.federation` is true."""
    schema = operator_federation.build() if settings.federation else operator_schema.schema
    return ApiConfig(schema, _authenticate_operator, has_subscriptions=False)
