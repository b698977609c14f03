"""`renewals webhooks`: list the webhook endpoints."""

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap


def webhooks(as_json: options.AsJson = False, lang: output_language.Lang = None) -> None:
    """List the webhook endpoints with their state."""
    from graphql_api.cli import endpoint_report, json_reports
    from renewals.db import connection as database
    from renewals.webhooks import endpoints, status

    url = options.required_database_url()
    language = output_language.choose(lang)

    async def show() -> None:
        async with database.connect(url):
            statuses = await status.read_status(await endpoints.list_all())
        if as_json:
            typer.echo(json_reports.dump({"endpoints": list(map(json_reports.endpoint_as_dict, statuses))}))
        else:
            options.print_lines(endpoint_report.format_endpoint(endpoint, language) for endpoint in statuses)

    bootstrap.run(show())
