"""The command line: `renewals up` for everything at once, the other commands for one part each.

Each command imports what it needs: all of it together takes seconds, which `--help` and completion must not.
"""

import datetime as dt
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from graphql_api.cli import import_command
from graphql_api.cli.languages import Language
from graphql_api.server.bootstrap import check_servers
from graphql_api.server.bootstrap import configure as _configure
from graphql_api.server.bootstrap import fail as _fail
from graphql_api.server.bootstrap import required as _required
from graphql_api.server.bootstrap import run as _run
from renewals.domain import model

if TYPE_CHECKING:
    from renewals import config as renewals_config
    from renewals.webhooks import status

SDL_PATH = Path(__file__).parents[2] / "schema.graphql"
OPERATOR_SDL_PATH = SDL_PATH.with_name("operator.graphql")

RUNS, ATTEMPTS, FORECAST_DAYS = 10, 100, 30
CLOCK_HELP = "as in 2027-03-01T00:30; in RENEWALS_TIME_ZONE if without offset. [default: now]"

app = typer.Typer(
    help="Renewal management for prepaid cloud instances.",
    no_args_is_help=True,
    # Rich takes "[default: ...]" for markup and drops it, and to import it takes as long as all the rest of --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.add_typer(import_command.app, name="import")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"renewals {importlib.metadata.version('renewals')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Renewal management for prepaid cloud instances."""


@app.command()
def up() -> None:
    """Run everything: PostgreSQL and Valkey (unless their URLs are given), the demo account, API and worker."""
    from graphql_api.devserver import binaries, up

    settings = _configure()
    try:
        raise typer.Exit(up.run(settings))
    except binaries.EmbeddedError as problem:
        _fail(str(problem))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: RENEWALS_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [default: RENEWALS_PORT]")] = None,
    workers: Annotated[
        int | None, typer.Option(help="How many processes serve. [default: RENEWALS_WORKERS]", min=1, max=64)
    ] = None,
    drain_seconds: Annotated[
        float | None,
        typer.Option(help="How long to answer once told to stop. [default: RENEWALS_DRAIN_SECONDS]", min=0),
    ] = None,
    is_for_operators: Annotated[
        bool, typer.Option("--operator", help="Serve the operator API, and nothing else.")
    ] = False,
) -> None:
    """Serve the GraphQL API: the customers', and the operators' too with RENEWALS_OPERATOR_API=true.

    Several processes are replaced one after the other on SIGHUP, without a request lost.
    """
    from graphql_api.server import serve
    from renewals.observability import metrics

    settings = _configure()
    _required(lambda: settings.required_database_url)
    given = {"host": host, "port": port, "workers": workers, "drain_seconds": drain_seconds}
    settings = _with_options(settings, given)
    check_servers(settings)
    try:
        with metrics.multiprocess_metrics(process_count=settings.workers if settings.metrics else 1):
            has_served = serve.run(settings, "create_for_operators" if is_for_operators else "create")
    except serve.AddressError as problem:
        _fail(str(problem))
    if not has_served:
        raise typer.Exit(1)


@app.command()
def worker() -> None:
    """Run the worker: renews every hour what is due; every minute expires, releases, reminds and warns."""
    from workers import main

    settings = _configure()
    _required(lambda: (settings.required_database_url, settings.required_redis_url))
    _run(main.run(settings))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from renewals.db import migrate

    url = _required(lambda: _configure().required_database_url)
    applied = _run(migrate.migrate(url))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "up to date")


@app.command("demo")
def load_demo(
    day: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day its dates are relative to. [default: today]"),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Delete all that the demo account has, and load it anew.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --reset: do not ask first.")] = False,
) -> None:
    """Load the demo account and print a new API key for it, or make it anew with --reset."""
    from graphql_api.devserver import up
    from renewals.db import connection as database
    from renewals.demo import loader
    from renewals.demo import reset as demo_reset
    from renewals.domain import clock as clocks
    from renewals.domain import errors

    settings = _configure()
    url = _required(lambda: settings.required_database_url)
    today = day.date() if day else loader.today(clocks.utc_now())
    if yes and not reset:
        raise typer.BadParameter("needs --reset", param_hint="--yes")

    async def load() -> None:
        async with database.connect(url):
            loaded = await loader.load(today)
            typer.echo("loaded the demo account" if loaded else "the demo account is there already")
            typer.echo(f"API key, shown once: {await up.new_demo_key()}")

    async def count() -> demo_reset.DemoContents | None:
        async with database.connect(url):
            return await demo_reset.count()

    async def make_anew() -> None:
        async with database.connect(url):
            await demo_reset.reset(today)

    try:
        held = _run(count()) if reset else None
        if held is None:
            _run(load())
            return
        typer.echo(
            f"This deletes all that the demo account has ({held.instances} instances, {held.orders} orders, "
            f"{held.ledger_entries} ledger entries) and loads it as of {today}. Nothing of other accounts is touched; "
            "its API keys and events stay."
        )
        if not yes:
            typer.confirm("Go on?", abort=True)
        _run(make_anew())
        typer.echo(f"made the demo account anew as of {today}")
    except errors.InvalidInputError as problem:
        _fail(str(problem))


@app.command("api-key")
def make_api_key(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The id of an account.")],
    role: Annotated[
        model.Role, typer.Option(help="RENEWER, or VIEWER to change nothing.", case_sensitive=False)
    ] = model.Role.RENEWER,
    name: Annotated[str, typer.Option(help="What it is called in lists.")] = "",
) -> None:
    """Print a new API key for an account; it is shown this once."""
    from graphql_api.devserver import up
    from renewals.db import connection as database
    from renewals.domain import errors
    from renewals.operators import api_keys

    url = _required(lambda: _configure().required_database_url)

    async def make() -> str:
        async with database.connect(url):
            return await up.new_key(api_keys.ApiKeyCreate(account, role, name))

    try:
        typer.echo(_run(make()))
    except errors.DomainError as problem:
        _fail(str(problem))


@app.command("operator-key")
def make_operator_key(
    name: Annotated[str, typer.Argument(help="Whose it is, as the audit log will say.")],
) -> None:
    """Print a new key of the operator API; it is shown this once."""
    from graphql_api.devserver import up
    from renewals.db import connection as database
    from renewals.domain import validation

    if problem := validation.name(name):
        raise typer.BadParameter(problem, param_hint="NAME")
    url = _required(lambda: _configure().required_database_url)

    async def make() -> str:
        async with database.connect(url):
            return await up.new_operator_key(name)

    typer.echo(_run(make()))


@app.command("run-now")
def run_now(
    at: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help=f"The run's clock, now or in the past, {CLOCK_HELP}"),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say what the run would do, at any instant; write nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: print JSON.")] = False,
) -> None:
    """Renew what is due, expire and release, warn and remind, here and now; for operators."""
    from graphql_api.cli import dry_run_table, json_reports, run_report
    from renewals.alerts import balance_alerts
    from renewals.db import connection as database
    from renewals.domain import clock as clocks
    from renewals.domain import errors
    from renewals.events import pubsub
    from renewals.observability import gc_tuning
    from renewals.operators import run_now

    settings = _configure()
    url = _required(lambda: settings.required_database_url)
    if as_json and not dry_run:
        raise typer.BadParameter("needs --dry-run", param_hint="--json")
    clock = _instant(at, settings)
    gc_tuning.tune_gc()

    async def preview() -> run_now.RunPreview:
        async with database.connect(url, pool_size=1):
            return await run_now.preview_run(clock)

    async def run() -> None:
        async with (
            database.connect(url, pool_size=settings.database_pool_size),
            pubsub.connect(settings.redis_url),
        ):
            result = await run_now.run_now(clock, clocks.utc_now, on_chunk=_progress)
            await balance_alerts.check_changed_accounts(lambda: clock)
        _print(run_report.format_result(result, clock))

    try:
        if dry_run:
            found = _run(preview())
            text = (
                json_reports.dump(json_reports.preview_as_dict(found))
                if as_json
                else dry_run_table.table(found)
            )
            typer.echo(text)
        else:
            _run(run())
    except errors.InvalidInputError as problem:
        _fail(f"--{problem} (--dry-run)")


@app.command("runs")
def list_runs(
    count: Annotated[
        int | None,
        typer.Option(help="How many runs, or attempts of one. [default: 10 or 100]", min=1, max=1000),
    ] = None,
    run: Annotated[
        int | None, typer.Option(help="Show the attempts of this run.", min=1, max=2**63 - 1)
    ] = None,
    account: Annotated[str | None, typer.Option(help="With --run: of this account.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="With --run: only what was not renewed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the latest renewal runs, or what one of them did with each instance, and why not."""
    from graphql_api.cli import json_reports, run_report
    from renewals.auto_renewal import runs
    from renewals.db import connection as database
    from renewals.domain import errors

    url = _required(lambda: _configure().required_database_url)
    if not run and (account or failed):
        raise typer.BadParameter("needs --run", param_hint="--failed" if failed else "--account")

    async def show() -> None:
        async with database.connect(url):
            latest = [await runs.read_run(run)] if run else await runs.read_latest_runs(count or RUNS)
            found = [(each, await runs.read_parked(each.id)) for each in latest]
            shown = count or ATTEMPTS
            attempts = await runs.read_attempts(run, account, failed=failed, count=shown + 1) if run else []
        if as_json:
            runs_found = {"runs": [json_reports.run_as_dict(each, parked) for each, parked in found]}
            more = json_reports.attempts_as_dict(attempts, shown) if run else {}
            typer.echo(json_reports.dump(runs_found | more))
            return
        for each, parked in found:
            _print(run_report.format_run(each, parked))
        _print(run_report.format_attempts(attempts, shown))

    try:
        _run(show())
    except errors.InvalidInputError as problem:
        _fail(str(problem))


@app.command("forecast")
def show_forecast(
    account: Annotated[
        str | None, typer.Argument(metavar="ACCOUNT", help="The id of an account, unless --all is given.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="How many days, today first. [default: 30; with --all 2]")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="INSTANT", help=f"From when on, {CLOCK_HELP}")] = None,
    all_accounts: Annotated[
        bool,
        typer.Option("--all", help="A line for every account of which something is due: the coming night."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --all JSON Lines.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it, too, as a PNG. Needs the extra `plot`.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="English or Chinese.")] = Language.EN,
) -> None:
    """Tell what the worker will do with the money on hand, what is at risk, and what must be added."""
    from graphql_api.cli import forecast_table, json_reports
    from renewals.db import connection as database
    from renewals.domain import errors
    from renewals.forecasts import all_accounts as forecasts_all_accounts
    from renewals.forecasts import forecast
    from renewals.observability import gc_tuning

    if all_accounts:
        if account is not None or plot is not None:
            raise typer.BadParameter("takes no ACCOUNT and no --plot", param_hint="--all")
        _show_coming_nights(forecasts_all_accounts.DAYS if days is None else days, at, as_json=as_json)
        return
    if account is None:
        raise typer.BadParameter("is missing; --all shows every account", param_hint="ACCOUNT")
    settings = _configure()
    url = _required(lambda: settings.required_database_url)
    clock = _instant(at, settings)
    picture = _picture() if plot else None

    async def foresee() -> forecast.Forecast:
        async with database.connect(url, pool_size=1):
            return await forecast.read_forecast(account, FORECAST_DAYS if days is None else days, clock)

    gc_tuning.tune_gc()
    try:
        found = _run(foresee())
    except errors.InvalidInputError as problem:
        _fail(str(problem))
    if as_json:
        typer.echo(json_reports.dump(json_reports.forecast_as_dict(account, found)))
    else:
        typer.echo(forecast_table.table(account, found, lang))
    if picture and plot:
        spoken = lang if picture.speaks(lang) else Language.EN
        try:
            picture.draw(account, found, spoken, plot)
        except OSError as problem:
            _fail(f"The picture cannot be written: {problem}")
        if spoken is not lang:
            typer.echo("There is no font with Chinese characters, so the picture is in English.", err=True)


def _show_coming_nights(days: int, at: str | None, *, as_json: bool) -> None:
    from graphql_api.cli import forecast_all_table
    from renewals.db import connection as database
    from renewals.domain import errors
    from renewals.forecasts import all_accounts
    from renewals.observability import gc_tuning

    settings = _configure()
    url = _required(lambda: settings.required_database_url)
    clock = _instant(at, settings)

    async def show() -> None:
        async with database.connect(url, pool_size=1):
            nights = all_accounts.read(days, clock)
            if as_json:
                await forecast_all_table.print_json(nights, typer.echo)
            else:
                await forecast_all_table.print_table(nights, days, clock, typer.echo)

    gc_tuning.tune_gc()
    try:
        _run(show())
    except errors.InvalidInputError as problem:
        _fail(str(problem))


@app.command("webhooks")
def list_webhooks(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the webhook endpoints: whose they are, how they fare, what waits and what is parked."""
    from graphql_api.cli import json_reports
    from renewals.db import connection as database
    from renewals.webhooks import endpoints, status

    url = _required(lambda: _configure().required_database_url)

    async def show() -> None:
        async with database.connect(url):
            found = await status.read_status(await endpoints.list_all())
        if as_json:
            typer.echo(json_reports.dump({"endpoints": list(map(json_reports.endpoint_as_dict, found))}))
        else:
            _print(map(_describe_endpoint, found))

    _run(show())


@app.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that all adds up: balances, vouchers, orders, periods, bundles, runs. Exit 1 and name what does not."""
    from graphql_api.cli import json_reports, run_report
    from renewals import integrity
    from renewals.db import connection as database

    url = _required(lambda: _configure().required_database_url)

    def show(rule: str, damages: Sequence[integrity.Violation]) -> None:
        if not as_json:
            _print(run_report.format_rule(rule, damages))

    async def check() -> bool:
        async with database.connect(url):
            violations = await integrity.check_invariants(show)
        if as_json:
            typer.echo(json_reports.dump(json_reports.rules_as_dict(violations)))
        return any(violations.values())

    if _run(check()):
        raise typer.Exit(1)


@app.command("schema")
def print_schema(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare schema.graphql and operator.graphql; exit 1 on a difference."),
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write schema.graphql and operator.graphql anew.")
    ] = False,
    is_for_operators: Annotated[
        bool, typer.Option("--operator", help="Print the operators' schema instead.")
    ] = False,
) -> None:
    """Print the GraphQL schema. The options --check and --write are for the repository, where its text is kept."""
    if (check or write) and not SDL_PATH.with_name("pyproject.toml").is_file():
        _fail(
            f"{SDL_PATH.name} is kept in the repository only, and {SDL_PATH.parent} is none: "
            "run `renewals schema > FILE` instead"
        )
    from schema.customer import schema as customer_schema
    from schema.operator import schema as operator_schema

    texts = {SDL_PATH: customer_schema.sdl(), OPERATOR_SDL_PATH: operator_schema.sdl()}
    if write:
        for path, sdl in texts.items():
            path.write_text(sdl, encoding="utf-8")
    elif check:
        for path, sdl in texts.items():
            if not path.exists() or path.read_text(encoding="utf-8") != sdl:
                _fail(f"{path.name} differs from the code: run `renewals schema --write`")
    else:
        typer.echo(texts[OPERATOR_SDL_PATH if is_for_operators else SDL_PATH], nl=False)


@app.command("graphiql-assets")
def fetch_graphiql_assets() -> None:
    """Fetch the files that GraphiQL needs, so that it works without a network."""
    from graphql_api.graphql import graphiql

    try:
        typer.echo(f"{graphiql.fetch()} files fetched into {graphiql.FOLDER}")
    except graphiql.GraphiQLError as problem:
        _fail(str(problem))


def _describe_endpoint(report: "status.EndpointStatus") -> str:
    state = "enabled" if report.enabled else f"DISABLED ({report.disabled_reason})"
    if report.enabled and report.paused_until:
        state = f"paused until {report.paused_until.isoformat(timespec='seconds')}"
    last = f", last answer {report.last_status or report.last_error}" if report.last_attempted_at else ""
    return (
        f"endpoint {report.id} of {report.account_id or 'all accounts'}, {report.url}, {state}: "
        f"{report.delivered_count} delivered, {report.behind_count} behind, {report.waiting_count} waiting, "
        f"{report.parked_count} parked{last}"
    )


def _with_options(
    settings: "renewals_config.Settings", options: Mapping[str, object]
) -> "renewals_config.Settings":
    """Return the settings with the options that are given instead, or fail by the name of one out of bounds."""
    from renewals import config

    for name, value in options.items():
        if value is not None:
            try:
                settings = config.replace(settings, name, value)
            except ValueError as problem:
                _fail(config.format_errors(problem, f"--{name.replace('_', '-')}"))
    return settings


def _instant(text: str | None, settings: "renewals_config.Settings") -> dt.datetime:
    """The instant that an option says, or now."""
    from renewals.domain import clock as clocks

    if not text:
        return clocks.utc_now()
    try:
        instant = dt.datetime.fromisoformat(text)
        if not 1970 <= instant.year < 9000:
            raise ValueError(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=settings.time_zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter("must be ISO 8601, as in 2027-03-01T00:30", param_hint="--at") from None


def _picture() -> ModuleType:
    """What draws a forecast, or a word on how to get it."""
    try:
        import graphql_api.cli.forecast_plot as forecast_plot
    except ModuleNotFoundError as problem:
        if problem.name != "matplotlib":
            raise
        _fail("--plot needs matplotlib, which the extra `plot` brings: pip install 'renewals[plot]'")
    return forecast_plot


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _progress(done: int, total: int) -> None:
    typer.echo(f"chunk {done} of {total}", err=True)
