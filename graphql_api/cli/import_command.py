"""`renewals import accounts|instances|catalogue|vouchers`: import a CSV or JSON Lines file."""

from pathlib import Path
from typing import Annotated

import typer

from graphql_api.cli import output_language
from graphql_api.server import bootstrap
from renewals.domain.model import Language

app = typer.Typer(
    help="Import data from CSV or JSON Lines.\n\nImporting the same file again changes nothing, unless the "
    "stored data were changed in between.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A .csv or .jsonl file.", exists=True, dir_okay=False)
]
Encoding = Annotated[
    str | None,
    typer.Option(
        help="Encoding of the file, for example gbk. [default: from the byte order mark, else UTF-8, else GB18030]"
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Count what would be created, changed and refused; do not change the database."
    ),
]
Errors = Annotated[
    Path | None,
    typer.Option("--errors", metavar="FILE", help="Write all errors to this CSV file.", dir_okay=False),
]


def _add_command(name: str, description: str) -> None:
    """Add the command that imports one kind of file. All import commands have the same options."""

    @app.command(name, help=description)
    def command(
        file: File,
        encoding: Encoding = None,
        dry_run: DryRun = False,
        errors: Errors = None,
        lang: output_language.Lang = None,
    ) -> None:
        _import(name, file, encoding, errors, output_language.choose(lang), is_dry_run=dry_run)


_add_command("accounts", "Create accounts with a first balance, and update existing ones.")
_add_command("instances", "Register instances, and update existing ones.")
_add_command("catalogue", "Create or update products, data centers and their types.")
_add_command("vouchers", "Issue vouchers that do not exist yet.")


def _import(
    command: str,
    path: Path,
    encoding: str | None,
    errors_path: Path | None,
    language: Language,
    *,
    is_dry_run: bool,
) -> None:
    from graphql_api.cli import import_progress
    from renewals.db import connection as database
    from renewals.events import pubsub
    from renewals.i18n import catalogs
    from renewals.imports import file_reader, row_types, runner
    from renewals.observability import gc_tuning

    import_format = row_types.BY_COMMAND[command]
    settings = bootstrap.configure()
    url = bootstrap.required(lambda: settings.required_database_url)
    if errors_path and errors_path.exists() and errors_path.samefile(path):
        raise typer.BadParameter("must not be the imported file", param_hint="--errors")
    gc_tuning.tune_gc()
    try:
        source = file_reader.inspect_file(path, _python_encoding(encoding))
        with import_progress.open_reporter(source, errors_path, language, is_dry_run=is_dry_run) as reporter:
            listener = runner.Listener(reporter.add_problems, reporter.update)

            async def run() -> runner.Progress:
                async with database.connect(url, pool_size=1), pubsub.connect(settings.redis_url):
                    return await runner.run_import(source, import_format, listener, is_dry_run=is_dry_run)

            progress = bootstrap.run(run())
    except file_reader.InvalidFileError as error:
        bootstrap.fail(catalogs.translate(error.message, language))
    if progress.refused_count:
        raise typer.Exit(1)


def _python_encoding(name: str | None) -> str | None:
    from renewals.imports import file_reader

    if name is None:
        return None
    try:
        return file_reader.find_encoding(name)
    except LookupError:
        raise typer.BadParameter(f"{name!r} is not a text encoding", param_hint="--encoding") from None
