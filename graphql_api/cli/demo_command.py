"""`renewals demo`: load the demo account, or delete and reload it."""

import datetime as dt
from typing import Annotated

import typer

from graphql_api.cli import options
from graphql_api.server import bootstrap


def demo(
    day: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day to which the account's clock is set. [default: 2027-01-15]"
        ),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Delete the demo account's data and reload it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --reset: skip the confirmation.")] = False,
) -> None:
    """Load the demo account, and print a new API key.

    With --reset, an existing demo account is deleted and reloaded; it keeps its keys, and no key is printed.
    """
    from renewals.demo import loader
    from renewals.domain import errors

    url = options.required_database_url()
    stands_on = day.date() if day else loader.DAY
    if yes and not reset:
        raise typer.BadParameter("requires --reset", param_hint="--yes")
    try:
        if not (reset and _reset(url, stands_on, is_confirmed=yes)):
            _load(url, stands_on)
    except errors.InvalidInputError as error:
        bootstrap.fail(str(error))


def _load(url: str, day: dt.date) -> None:
    """Load the demo account unless it exists, and print a new key."""
    from graphql_api.devserver import new_keys
    from renewals.db import connection as database
    from renewals.demo import loader

    async def load() -> None:
        async with database.connect(url):
            is_loaded = await loader.load(day)
            typer.echo("loaded the demo account" if is_loaded else "the demo account already exists")
            typer.echo(f"API key, shown once: {await new_keys.create_for_demo()}")

    bootstrap.run(load())


def _reset(url: str, day: dt.date, *, is_confirmed: bool) -> bool:
    """Delete and reload the demo account; ask first unless `is_confirmed`. Return False if there is no demo account."""
    from renewals.db import connection as database
    from renewals.demo import reset as demo_reset

    async def count() -> demo_reset.DemoContents | None:
        async with database.connect(url):
            return await demo_reset.count()

    async def reload() -> None:
        async with database.connect(url):
            await demo_reset.reset(day)

    contents = bootstrap.run(count())
    if contents is None:
        return False
    typer.echo(
        f"This deletes all instances ({contents.instances}), orders ({contents.orders}), ledger entries "
        f"({contents.ledger_entries}), vouchers and refunds of the demo account, and reloads the account as of {day}. "
        "Its API keys and events are kept. Other accounts are not changed."
    )
    if not is_confirmed:
        typer.confirm("Continue?", abort=True)
    bootstrap.run(reload())
    typer.echo(f"reloaded the demo account as of {day}")
    return True
