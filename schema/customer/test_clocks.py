"""The mutation that moves the clock of a test account (rule 37)."""

import datetime as dt
from typing import Self, cast

import strawberry

from renewals import config
from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db.models import ClockMove
from renewals.domain import limits
from renewals.events import event_log
from renewals.test_clocks import advance
from schema.context import Context, Info
from schema.customer import accounts, inputs
from schema.customer.events import Event

SECONDS_SHARE = 0.8
"""The share of a request's time limit that a move can use. The rest is for the response."""


@strawberry.input(description="The arguments of advanceTestClock.")
class AdvanceTestClockInput:
    to: dt.datetime = strawberry.field(
        description=(
            "The new time of the account: later than its current time, by at most "
            f"{limits.CLOCK_MOVE_MONTHS_MAX} months."
        )
    )
    idempotency_key: str = strawberry.field(description=inputs.IDEMPOTENCY_KEY)


async def _read_events(move: strawberry.Parent["AdvanceTestClockSuccess"], info: Info) -> list[Event]:
    count = min(move.event_count, limits.PAGE_ROWS_MAX)
    if not count:
        return []
    events = await event_log.read_events(info.context.account_id, move.first_sequence, count)
    return cast("list[Event]", events)


@strawberry.type(
    description="The clock has reached the new time, and everything that was due until then is done."
)
class AdvanceTestClockSuccess:
    first_sequence: strawberry.Private[int]
    event_count: strawberry.Private[int]

    account = strawberry.field(resolver=accounts.resolve_account, description="The account as it is now.")
    renewed_count: int = strawberry.field(
        description="Number of renewals. An instance counts once for each renewal."
    )
    refused_count: int = strawberry.field(
        description="Number of failed attempts to renew. A move tries again at every hour until the instance expires."
    )
    expired_count: int = strawberry.field(description="Number of instances that expired.")
    released_count: int = strawberry.field(description="Number of instances that were released.")
    events: list[Event] = strawberry.field(
        resolver=_read_events,
        description=(
            f"The account's events during the move, in order: at most the first {limits.PAGE_ROWS_MAX:,}. The "
            "subscription `events` sends all of them as they happen."
        ),
    )

    @classmethod
    def of(cls, move: ClockMove) -> Self:
        """Build the success from a finished move."""
        return cls(
            first_sequence=move.first_sequence,
            event_count=move.event_count,
            renewed_count=move.renewed_count,
            refused_count=move.refused_count,
            expired_count=move.expired_count,
            released_count=move.released_count,
        )


async def advance_test_clock(context: Context, request: AdvanceTestClockInput) -> AdvanceTestClockSuccess:
    """Move the clock of the caller's account, and put the new instant into the context."""
    move = await advance.advance(
        context.account_id,
        advance.MoveRequest(request.to, request.idempotency_key),
        context.clock,
        seconds_max=config.get_settings().request_seconds_max * SECONDS_SHARE,
    )
    clocks = await accounts_queries.find_test_clocks(database.pool(), [context.account_id])
    context.test_clock = clocks[context.account_id]
    return AdvanceTestClockSuccess.of(move)
