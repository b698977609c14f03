"""`renewals import accounts|instances|catalogue|vouchers FILE`."""

from pathlib import Path
from typing import Annotated

import typer

from graphql_api.server import bootstrap

app = typer.Typer(
    help="Take in the provider's lists from CSV or JSON Lines; the same again changes nothing.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A .csv or .jsonl file.", exists=True, dir_okay=False)
]
Encoding = Annotated[
    str | None,
    typer.Option(help="As in gbk; else found by the byte order mark, else UTF-8, else GB18030."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be created, changed and refused; write nothing.")
]
Errors = Annotated[
    Path | None,
    typer.Option(
        "--errors", metavar="FILE", help="Write all that is wrong into this CSV file.", dir_okay=False
    ),
]


@app.command()
def accounts(file: File, encoding: Encoding = None, dry_run: DryRun = False, errors: Errors = None) -> None:
    """Open accounts, with a first balance, and change those that are there."""
    _take("accounts", file, encoding, errors, is_dry=dry_run)


@app.command()
def instances(file: File, encoding: Encoding = None, dry_run: DryRun = False, errors: Errors = None) -> None:
    """Register instances, and change those that are there."""
    _take("instances", file, encoding, errors, is_dry=dry_run)


@app.command()
def catalogue(file: File, encoding: Encoding = None, dry_run: DryRun = False, errors: Errors = None) -> None:
    """Put products and data centres into the catalogue."""
    _take("catalogue", file, encoding, errors, is_dry=dry_run)


@app.command()
def vouchers(file: File, encoding: Encoding = None, dry_run: DryRun = False, errors: Errors = None) -> None:
    """Issue vouchers that are not there yet."""
    _take("vouchers", file, encoding, errors, is_dry=dry_run)


def _take(command: str, path: Path, encoding: str | None, errors: Path | None, *, is_dry: bool) -> None:
    from graphql_api.cli import import_progress
    from renewals.db import connection as database
    from renewals.events import pubsub
    from renewals.imports import files, formats, runner
    from renewals.observability import gc_tuning

    kind = formats.BY_COMMAND[command]
    settings = bootstrap.configure()
    url = bootstrap.required(lambda: settings.required_database_url)
    if errors and errors.exists() and errors.samefile(path):
        raise typer.BadParameter("is the file that is taken in", param_hint="--errors")
    gc_tuning.tune_gc()
    try:
        source = files.inspect_file(path, _known(encoding))
        with import_progress.opened(source, errors, is_dry=is_dry) as shown:
            listener = runner.Listener(shown.mistakes, shown.batch)

            async def take() -> runner.Progress:
                async with (
                    database.connect(url, pool_size=1),
                    pubsub.connect(settings.redis_url),
                ):
                    return await runner.run_import(source, kind, listener, is_dry=is_dry)

            done = bootstrap.run(take())
    except files.InvalidFileError as problem:
        bootstrap.fail(str(problem))
    if done.refused_count:
        raise typer.Exit(1)


def _known(encoding: str | None) -> str | None:
    from renewals.imports import files

    if encoding is None:
        return None
    try:
        return files.find_encoding(encoding)
    except LookupError:
        raise typer.BadParameter(
            f"there is no encoding {encoding!r} of texts", param_hint="--encoding"
        ) from None
