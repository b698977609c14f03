"""`renewals run-now` and `runs`: do a renewal run, and list the runs."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap

if TYPE_CHECKING:
    from renewals import config
    from renewals.domain.model import Language

RUN_COUNT_DEFAULT, ATTEMPT_COUNT_DEFAULT = 10, 100
COUNT_MAX = 1_000


def run_now(
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help=f"Instant of the run, not in the future: {options.INSTANT_HELP} [default: now]",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the result and write nothing; --at may be in the future."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: print JSON.")] = False,
    lang: output_language.Lang = None,
) -> None:
    """Start a renewal run now.

    It first finishes interrupted runs. It then renews due instances, expires and releases others, and sends warnings
    and reminders. Test accounts are left out.
    """
    from renewals.domain import errors
    from renewals.i18n import catalogs
    from renewals.observability import gc_tuning

    settings = bootstrap.configure()
    url = bootstrap.required(lambda: settings.required_database_url)
    if as_json and not dry_run:
        raise typer.BadParameter("requires --dry-run", param_hint="--json")
    clock = options.parse_instant(at, settings)
    language = output_language.choose(lang)
    gc_tuning.tune_gc()
    try:
        if dry_run:
            _print_preview(url, clock, None if as_json else language)
        else:
            _run(url, settings, clock, language)
    except errors.InvalidInputError as error:
        bootstrap.fail(f"--{catalogs.translate(error.message, language)} (--dry-run)")


def _print_preview(url: str, clock: dt.datetime, language: "Language | None") -> None:
    """Print a preview as a table in `language`, or as JSON if `language` is None."""
    from graphql_api.cli import dry_run_table, json_reports
    from renewals.db import connection as database
    from renewals.operators import run_now

    async def read() -> run_now.RunPreview:
        async with database.connect(url, pool_size=1):
            return await run_now.preview_run(clock)

    preview = bootstrap.run(read())
    typer.echo(
        json_reports.dump(json_reports.preview_as_dict(preview))
        if language is None
        else dry_run_table.format_preview(preview, language)
    )


def _run(url: str, settings: "config.Settings", clock: dt.datetime, language: "Language") -> None:
    from graphql_api.cli import run_report
    from renewals.alerts import balance_alerts
    from renewals.db import connection as database
    from renewals.domain import clock as clocks
    from renewals.events import pubsub
    from renewals.operators import run_now

    def print_progress(done_count: int, chunk_count: int) -> None:
        typer.echo(run_report.format_progress(done_count, chunk_count, language), err=True)

    async def run() -> None:
        async with (
            database.connect(url, pool_size=settings.database_pool_size),
            pubsub.connect(settings.redis_url),
        ):
            result = await run_now.run_now(clock, clocks.utc_now, on_chunk=print_progress)
            await balance_alerts.check_changed_accounts(lambda: clock)
        options.print_lines(run_report.format_result(result, clock, language))

    bootstrap.run(run())


def runs(
    count: Annotated[
        int | None,
        typer.Option(
            help=f"Maximum number of rows. [default: {RUN_COUNT_DEFAULT} runs, or {ATTEMPT_COUNT_DEFAULT} attempts]",
            min=1,
            max=COUNT_MAX,
        ),
    ] = None,
    run: Annotated[
        int | None, typer.Option(help="Show the attempts of the run with this id.", min=1, max=2**63 - 1)
    ] = None,
    account: Annotated[str | None, typer.Option(help="With --run: only this account.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="With --run: only failed attempts.")] = False,
    test_clocks: Annotated[
        bool, typer.Option("--test-clocks", help="Also list the runs of test clocks.")
    ] = False,
    as_json: options.AsJson = False,
    lang: output_language.Lang = None,
) -> None:
    """List the latest renewal runs, or the attempts of one run."""
    from graphql_api.cli import json_reports, run_report
    from renewals.auto_renewal import attempts, chunks, runs
    from renewals.db import connection as database
    from renewals.domain import errors

    url = options.required_database_url()
    if not run and (account or failed):
        raise typer.BadParameter("requires --run", param_hint="--failed" if failed else "--account")
    if run and test_clocks:
        raise typer.BadParameter("cannot be combined with --run", param_hint="--test-clocks")
    attempt_count = count or ATTEMPT_COUNT_DEFAULT
    language = output_language.choose(lang)

    async def show() -> None:
        async with database.connect(url):
            latest = (
                [await runs.get_run(run)]
                if run
                else await runs.list_latest_runs(count or RUN_COUNT_DEFAULT, with_test_clocks=test_clocks)
            )
            reports = [(row, await chunks.list_parked_accounts(row.id)) for row in latest]
            tries = (
                await attempts.list_attempts(run, account, failed=failed, count=attempt_count + 1)
                if run
                else []
            )
        if as_json:
            report: dict[str, object] = {
                "runs": [json_reports.run_as_dict(row, parked) for row, parked in reports]
            }
            if run:
                report |= json_reports.attempts_as_dict(tries, attempt_count)
            typer.echo(json_reports.dump(report))
            return
        for row, parked in reports:
            options.print_lines(run_report.format_run(row, parked, language))
        lines = run_report.format_attempts(
            tries, attempt_count, language, can_be_raised=attempt_count < COUNT_MAX
        )
        options.print_lines(lines)

    try:
        bootstrap.run(show())
    except errors.InvalidInputError as error:
        output_language.fail(error, language, {"run": "--run"})
