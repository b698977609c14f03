"""`renewals clock`: move the clock of a test account."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap

if TYPE_CHECKING:
    from renewals import config
    from renewals.db.models import ClockMove
    from renewals.domain.model import Language

SECONDS_MAX = 24 * 3600.0
"""The time after which the command stops its work on a move. The worker then continues the move."""

_OPTIONS = {"account": "ACCOUNT", "input": "ACCOUNT", "input.to": "--to", "input.idempotencyKey": "ACCOUNT"}
"""The argument and the option of the command, by the field that an error names. The command makes its own key."""


def clock(
    account: Annotated[str, typer.Argument(help="Id of the test account.")],
    to: Annotated[str, typer.Option(metavar="INSTANT", help=f"The new instant: {options.INSTANT_HELP}")],
    as_json: options.AsJson = False,
    lang: output_language.Lang = None,
) -> None:
    """Move the clock of a test account forward.

    This also renews, expires and releases instances and sends reminders and warnings, as the worker would.
    """
    from renewals.domain import errors

    settings = bootstrap.configure()
    url = bootstrap.required(lambda: settings.required_database_url)
    instant = options.parse_instant(to, settings, "--to")
    language = output_language.choose(lang)
    try:
        move = _move(url, settings, account, instant)
    except errors.DomainError as error:
        output_language.fail(error, language, _OPTIONS)
    typer.echo(_as_json(move) if as_json else _as_text(move, settings, language))


def _move(url: str, settings: "config.Settings", account: str, to: dt.datetime) -> "ClockMove":
    from renewals.accounts import repository
    from renewals.db import connection as database
    from renewals.domain import clock as clocks
    from renewals.events import pubsub
    from renewals.test_clocks import advance

    def print_progress(move: "ClockMove") -> None:
        typer.echo(
            f"{move.reached_at.astimezone(settings.time_zone).isoformat(timespec='minutes')}", err=True
        )

    async def move() -> "ClockMove":
        async with (
            database.connect(url, pool_size=settings.database_pool_size),
            pubsub.connect(settings.redis_url),
        ):
            await repository.read_account(database.pool(), account)
            request = advance.MoveRequest(to, f"command line {database.new_id()}")
            return await advance.advance(
                account, request, clocks.utc_now, seconds_max=SECONDS_MAX, on_tick=print_progress
            )

    return bootstrap.run(move())


def _as_text(move: "ClockMove", settings: "config.Settings", language: "Language") -> str:
    from renewals.domain.messages import Message
    from renewals.i18n import catalogs

    start, end = (
        instant.astimezone(settings.time_zone).isoformat(timespec="minutes")
        for instant in (move.from_at, move.to_at)
    )
    message = Message(
        "the clock of {account} moved from {start} to {end}: {renewed} renewed, {refused} refused, "
        "{expired} expired, {released} released; events: {events}",
        account=move.account_id,
        start=start,
        end=end,
        renewed=move.renewed_count,
        refused=move.refused_count,
        expired=move.expired_count,
        released=move.released_count,
        events=move.event_count,
    )
    return catalogs.translate(message, language)


def _as_json(move: "ClockMove") -> str:
    from graphql_api.cli import json_reports

    return json_reports.dump(
        {
            "account": move.account_id,
            "from": move.from_at,
            "to": move.to_at,
            "renewedCount": move.renewed_count,
            "refusedCount": move.refused_count,
            "expiredCount": move.expired_count,
            "releasedCount": move.released_count,
            "eventCount": move.event_count,
        }
    )
