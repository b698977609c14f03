"""The arguments of an export, in the query string or in a JSON body."""

import datetime as dt
from collections.abc import Collection, Mapping

import orjson
from starlette.requests import Request

from graphql_api.graphql import http_request
from renewals.domain import errors, validation
from renewals.domain.messages import Message
from renewals.exports import queries as export_queries
from renewals.exports import tables
from schema.customer import coercion, history_filters, inputs

ARGUMENTS: Mapping[str, Collection[str]] = {
    "instances": ("columns", "lang", "filter", "orderBy"),
    "orders": ("columns", "lang", "from", "before"),
    "ledger": ("columns", "lang", "filter", "from", "before"),
}
_IN_JSON = ("filter", "orderBy")
"""The arguments that are JSON in a query string. A body is JSON as a whole."""


async def read_arguments(request: Request, known: Collection[str], bytes_max: int) -> dict[str, object]:
    """Return the arguments of the query string and of a JSON body.

    Raises InvalidInputError for an argument that is unknown, repeated or malformed, and HTTPError as `read_body` and
    `check_values` do.
    """
    arguments: dict[str, object] = {}
    for name, text in request.query_params.multi_items():
        if name in arguments:
            raise errors.InvalidInputError(name, validation.REPEATED)
        arguments[name] = _parse(name, text) if name in _IN_JSON else text
    if isinstance(names := arguments.get("columns"), str):
        arguments["columns"] = names.split(",")
    if request.method == "POST" and (
        body := await http_request.read_body(request, http_request.headers_of(request), bytes_max)
    ):
        http_request.check_values(body)
        members = _parse("body", body)
        if not isinstance(members, dict):
            raise errors.InvalidInputError("body", Message("must be a JSON object"))
        for name in arguments.keys() & members.keys():
            reason = Message("must be in the query string or in the body, not in both")
            raise errors.InvalidInputError(name, reason)
        arguments |= members
    for name in arguments:
        if name not in known:
            reason = Message("is an unknown argument; available arguments: {names}", names=tuple(known))
            raise errors.InvalidInputError(name, reason)
    return arguments


def _parse(name: str, text: str | bytes) -> object:
    try:
        parsed: object = orjson.loads(text)
    except ValueError as error:
        reason = Message("must be JSON: {error}", error=str(error))
        raise errors.InvalidInputError(name, reason) from error
    return parsed


def build_export(
    account_id: str, table: str, arguments: Mapping[str, object], now: dt.datetime
) -> export_queries.Export:
    """Build the export that a request's arguments describe. Raises InvalidInputError."""
    columns = tables.TABLES[table].select_columns(_column_names(arguments.get("columns")))
    if table == tables.INSTANCES.name:
        filter_input = coercion.read_input(arguments.get("filter"), inputs.InstanceFilter, "filter")
        order_input = coercion.read_input(arguments.get("orderBy"), inputs.InstanceOrder, "orderBy")
        instance_filter = inputs.to_instance_filter(filter_input)
        ordering = inputs.to_instance_ordering(order_input)
        return export_queries.export_instances(
            account_id, instance_filter, ordering, columns=columns, now=now
        )
    period = export_queries.DateRange(
        coercion.read_instant(arguments.get("from"), "from"),
        coercion.read_instant(arguments.get("before"), "before"),
    )
    if table == tables.ORDERS.name:
        return export_queries.export_orders(account_id, period, columns=columns, now=now)
    ledger_filter = history_filters.to_ledger_filter(
        coercion.read_input(arguments.get("filter"), history_filters.LedgerFilter, "filter")
    )
    return export_queries.export_ledger(account_id, ledger_filter, period, columns=columns, now=now)


def _column_names(value: object) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise errors.InvalidInputError("columns", Message("must be a list of column names"))
    return value
