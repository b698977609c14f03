"""`renewals webhooks`: list the webhook endpoints."""

from typing import TYPE_CHECKING

import typer

from graphql_api.cli import options
from graphql_api.server import bootstrap

if TYPE_CHECKING:
    from renewals.webhooks import status


def webhooks(as_json: options.AsJson = False) -> None:
    """List the webhook endpoints with their state."""
    from graphql_api.cli import json_reports
    from renewals.db import connection as database
    from renewals.webhooks import endpoints, status

    url = options.required_database_url()

    async def show() -> None:
        async with database.connect(url):
            statuses = await status.read_status(await endpoints.list_all())
        if as_json:
            typer.echo(json_reports.dump({"endpoints": list(map(json_reports.endpoint_as_dict, statuses))}))
        else:
            options.print_lines(map(_format_endpoint, statuses))

    bootstrap.run(show())


def _format_endpoint(endpoint: "status.EndpointStatus") -> str:
    state = "enabled" if endpoint.enabled else f"DISABLED ({endpoint.disabled_reason})"
    if endpoint.enabled and endpoint.paused_until:
        state = f"paused until {endpoint.paused_until.isoformat(timespec='seconds')}"
    response = (
        f", last response {endpoint.last_status or endpoint.last_error}" if endpoint.last_attempted_at else ""
    )
    return (
        f"endpoint {endpoint.id} of {endpoint.account_id or 'all accounts'}, {endpoint.url}, {state}: "
        f"{endpoint.delivered_count} delivered, {endpoint.behind_count} behind, "
        f"{endpoint.waiting_count} waiting, {endpoint.parked_count} parked{response}"
    )
