"""`renewals forecast`: the coming charges for automatic renewals, for one account or for all."""

import datetime as dt
from typing import Annotated

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap
from renewals.domain.model import Language

DAYS_DEFAULT = 30


def forecast(
    account: Annotated[
        str | None, typer.Argument(metavar="ACCOUNT", help="Id of the account. Omit it with --all.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(help=f"Number of days, including the first. [default: {DAYS_DEFAULT}, or 2 with --all]"),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help=f"Start of the forecast: {options.INSTANT_HELP} [default: the account's current time]",
        ),
    ] = None,
    all_accounts: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Print one line for each account with AUTO instances due within --days, except test accounts.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, or JSON Lines with --all.")] = False,
    lang: output_language.Lang = None,
) -> None:
    """Forecast automatic renewals and the top-up needed."""
    from renewals.domain import errors
    from renewals.forecasts import all_accounts as all_accounts_forecast
    from renewals.observability import gc_tuning

    if all_accounts and account is not None:
        raise typer.BadParameter("cannot be combined with ACCOUNT", param_hint="--all")
    if not all_accounts and account is None:
        raise typer.BadParameter("is required without --all", param_hint="ACCOUNT")
    settings = bootstrap.configure()
    url = bootstrap.required(lambda: settings.required_database_url)
    clock = options.parse_instant(at, settings)
    language = output_language.choose(lang)
    table_language = None if as_json else language
    gc_tuning.tune_gc()
    try:
        if account is None:
            _show_all(url, all_accounts_forecast.DAYS if days is None else days, clock, table_language)
        else:
            days = DAYS_DEFAULT if days is None else days
            _show_one(url, account, days, clock if at else None, table_language)
    except errors.InvalidInputError as error:
        output_language.fail(error, language, {"account": "ACCOUNT", "days": "--days"})


def _show_one(
    url: str, account_id: str, days: int, clock: dt.datetime | None, language: Language | None
) -> None:
    """Print one account's forecast as a table in `language`, or as JSON if `language` is None.

    If `clock` is None, the forecast begins at the current time of the account (rule 37).
    """
    from graphql_api.cli import forecast_table, json_reports
    from renewals.accounts import queries
    from renewals.db import connection as database
    from renewals.domain import clock as clocks
    from renewals.forecasts import forecast, simulation

    async def read() -> simulation.Forecast:
        async with database.connect(url, pool_size=1):
            test_clocks = await queries.find_test_clocks(database.pool(), [account_id])
            now = clock or test_clocks.get(account_id) or clocks.utc_now()
            return await forecast.read_forecast(account_id, days, now)

    result = bootstrap.run(read())
    if language is None:
        typer.echo(json_reports.dump(json_reports.forecast_as_dict(account_id, result)))
    else:
        typer.echo(forecast_table.format_forecast(account_id, result, language))


def _show_all(url: str, days: int, clock: dt.datetime, language: Language | None) -> None:
    """Print the forecasts of all accounts with due instances, except test accounts.

    The output is a table in `language`, or JSON Lines if `language` is None.
    """
    from graphql_api.cli import forecast_all_table
    from renewals.db import connection as database
    from renewals.forecasts import all_accounts

    async def show() -> None:
        async with database.connect(url, pool_size=1):
            nights = all_accounts.read(days, clock)
            if language is None:
                await forecast_all_table.print_json(nights, typer.echo)
            else:
                await forecast_all_table.print_table(nights, days, clock, language, typer.echo)

    bootstrap.run(show())
