"""Limits that are checked before an operation is executed: its document, its cost, and the caller's budget."""

import asyncio
from collections.abc import Mapping

from graphql_api import errors
from graphql_api.graphql import api_config, http_request, persisted_queries, trusted_documents
from graphql_api.limits import concurrency, rate_limit
from renewals import config
from renewals.instances import account_sizes
from renewals.observability import request_record
from schema.execution import schema as execution_schema
from schema.limits import document_limits, limit_errors, list_sizes


class OperationLimits:
    """The limits of one schema's operations, whose cost may depend on the size of the account."""

    def __init__(
        self,
        schema: execution_schema.RenewalSchema,
        settings: config.Settings,
        trusted: trusted_documents.TrustedDocuments,
        sizes: account_sizes.AccountSizes,
    ) -> None:
        self.documents = document_limits.DocumentLimits(schema._schema, document_limits.Limits.of(settings))
        self.budgets = rate_limit.CostRateLimiter(settings.cost_per_minute_max)
        self._schema = schema
        self._store = persisted_queries.DocumentStore(schema, trusted, settings.persisted_characters_max)
        self._sizes = sizes
        self._seconds_max = settings.request_seconds_max

    async def check(
        self,
        request: http_request.GraphQLRequest,
        context: api_config.ApiContext,
        lane: concurrency.Lane,
        body_bytes: int = 0,
    ) -> tuple[str, document_limits.Admitted]:
        """Deduct the cost of an operation from the caller's budget; return the operation's document and cost.

        A cheap operation leaves the lane (`concurrency.Lane`) as soon as its document is known to be valid, because its
        execution does not delay other requests. While no other account sends requests, the rows of a heavy page are
        also read outside the lane, except over a web socket. PostgreSQL then serves several requests concurrently, and
        only large pages are built one after the other.

        Raises HTTPError or LimitExceededError.
        """
        query = self._store.find(request)
        if not self._schema.is_known_to_be_valid(query):
            await lane.enter()
        caller, consume = context.caller, self.budgets.consume_request
        try:
            admitted = await self.measure(query, request.operation_name, request.variables, context)
        except limit_errors.LimitExceededError as exceeded:
            await consume(caller, 0, reading=exceeded.reading, body_bytes=body_bytes)
            raise
        request_record.note_cost(admitted.cost)
        await consume(caller, admitted.cost, reading=admitted.reading, body_bytes=body_bytes)
        self._store.keep(request)
        is_heavy = admitted.cost > concurrency.HEAVY_COST
        reads_outside = is_heavy and admitted.is_one_page and not lane.has_others
        if is_heavy and not reads_outside:
            await lane.enter()
        elif lane.is_entered and self._schema.is_valid(query):
            lane.leave()
        if reads_outside and admitted.fields > concurrency.HEAVY_COST:
            lane.enter_after_read()
        if lane.is_entered:
            await asyncio.sleep(0)  # let other requests run between two long steps
        return query, admitted

    async def measure(
        self, query: str, name: str | None, variables: Mapping[str, object], context: object
    ) -> document_limits.Admitted:
        """Return the kind and the cost of an operation; wait for the account's size only if the cost depends on it.

        Raises HTTPError or LimitExceededError.
        """
        account_id = getattr(context, "account_id", None)
        try:
            known = self._sizes.known(account_id)
            return self.documents.check(query, name, variables, known and _with_test_clock(known, context))
        except list_sizes.SizeNeededError as needed:
            reading = needed.reading
        try:
            async with asyncio.timeout(self._seconds_max):
                size = await self._sizes.find(account_id)
        except TimeoutError:
            raise errors.HTTPError(503, "TIMEOUT", http_request.timeout_message(self._seconds_max)) from None
        try:
            size = _with_test_clock(size, context)
            return self.documents.check(query, name, variables, size)._replace(reading=reading)
        except limit_errors.LimitExceededError as exceeded:
            exceeded.reading = reading
            raise


def _with_test_clock(size: account_sizes.AccountSize, context: object) -> account_sizes.AccountSize:
    """Return the size with the test clock of the request's account, if the account has one."""
    test_clock = getattr(context, "test_clock", None)
    return size if test_clock is None else size._replace(test_clock=test_clock)
