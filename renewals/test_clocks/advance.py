"""Moves of a test account's clock, with the work that the worker would have done at each tick (rule 37).

A tick is an hourly time at which a move stops (see `ticks`). One transaction under the account's lock moves the clock
to the tick, and expires, releases and renews instances. The check for reminders and warnings follows in its own
transaction, as in the worker. A move's row holds the last tick, so any process can continue the move of a killed
process. Two processes that continue the same move do each tick once.
"""

import dataclasses
import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from renewals import idempotency
from renewals.accounts import repository as accounts_repository
from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db.models import ClockMove
from renewals.domain import dates, errors, limits, validation
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.events import event_log
from renewals.instances import lifecycle
from renewals.test_clocks import moves, ticks

log = logging.getLogger(__name__)

ABANDONED_AFTER = dt.timedelta(seconds=30)
"""The time without progress after which the worker continues a move."""


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """The instant to which a clock is to be moved, and the idempotency key of the move."""

    to: dt.datetime
    idempotency_key: str


def _ignore(move: ClockMove) -> None:
    """Do nothing after a tick."""


async def advance(
    account_id: str,
    request: MoveRequest,
    clock: Clock,
    *,
    seconds_max: float,
    on_tick: Callable[[ClockMove], None] = _ignore,
) -> ClockMove:
    """Move the account's test clock, and return the finished move. If a move has the request's key, continue that move.

    Raises ForbiddenError for an account without a test clock, DomainError for a request that is refused, and
    StillMovingError after `seconds_max`; the worker then continues the move.
    """
    idempotency.check_idempotency_key(request.idempotency_key)
    if problem := validation.instant(request.to):
        raise errors.InvalidInputError("input.to", problem)
    move = await begin(account_id, request, clock)
    move = await continue_move(move, clock, seconds_max=seconds_max, on_tick=on_tick)
    if move.ended_at is None:
        raise errors.StillMovingError(move.reached_at, move.to_at)
    return move


async def continue_move(
    move: ClockMove,
    clock: Clock,
    *,
    seconds_max: float,
    on_tick: Callable[[ClockMove], None] = _ignore,
) -> ClockMove:
    """Continue a move until it is finished or `seconds_max` have passed, and return the move.

    `on_tick` is called after each tick, and at the end of the move.
    """
    ends_at = time.monotonic() + seconds_max
    while move.ended_at is None and time.monotonic() < ends_at:
        if move.reached_at > move.from_at:
            # The last tick is checked before the next one begins, because the worker, too, checks before the next hour.
            # An error in the check does not stop the move, because it would not stop the worker.
            await balance_alerts.check_or_log(move.account_id, clock)
        move = await _do_next_tick(move, clock)
        on_tick(move)
    return move


async def continue_abandoned(move_id: uuid.UUID, clock: Clock, *, seconds_max: float) -> None:
    """Continue the move with this id; do nothing if a reset of the demo account has deleted the move."""
    move = await moves.find_in(database.pool(), move_id)
    if move is not None:
        await continue_move(move, clock, seconds_max=seconds_max)


async def list_abandoned(clock: Clock) -> list[uuid.UUID]:
    """Return the ids of the unfinished moves that have made no progress for ABANDONED_AFTER."""
    return [move.id for move in await moves.list_abandoned(clock() - ABANDONED_AFTER)]


@database.retry_on_conflict
async def begin(account_id: str, request: MoveRequest, clock: Clock) -> ClockMove:
    """Return the move with the request's key, or insert a move, which the caller or the worker then continues.

    Raises DomainError if the request is refused.
    """
    async with accounts_repository.locked_account(account_id) as (connection, account):
        if account.test_clock is None:
            raise errors.NoTestClockError
        key = request.idempotency_key
        if earlier := await moves.find_by_key_in(connection, account_id, key):
            idempotency.check_same_request(key, earlier.to_at, request.to)
            return earlier
        if unfinished := await moves.find_unfinished_in(connection, account_id):
            raise errors.InvalidInputError(
                "input.idempotencyKey",
                Message(
                    "another request is moving the clock to {to}; repeat that request, or wait until the move ends",
                    to=_format(unfinished.to_at),
                ),
            )
        stands_at = account.test_clock
        latest = dates.months_later(stands_at, limits.CLOCK_MOVE_MONTHS_MAX, account.zone)
        if not stands_at < request.to <= latest:
            raise errors.InvalidInputError(
                "input.to",
                Message(
                    "must be after {at} (the current time of the clock) and not after {latest} ({count} months "
                    "later)",
                    at=_format(stands_at),
                    count=limits.CLOCK_MOVE_MONTHS_MAX,
                    latest=_format(latest),
                ),
            )
        return await moves.insert_in(connection, account_id, key, stands_at, request.to, clock())


async def _do_next_tick(move: ClockMove, clock: Clock) -> ClockMove:
    """Do the next tick of a move, or finish the move, unless another process has done so; return the move.

    After an unexpected error, do the tick without renewals, and park the account for this tick.
    """
    try:
        return await _do_next_tick_once(move, clock, None)
    except Exception as error:
        if db_errors.is_unavailable(error) or isinstance(error, errors.DomainError):
            raise
        log.exception(
            "cannot renew account %s; the account is parked for one tick of its test clock", move.account_id
        )
        return await _do_next_tick_once(move, clock, f"{type(error).__name__}: {error}")


@database.retry_on_conflict
async def _do_next_tick_once(move: ClockMove, clock: Clock, renewal_error: str | None) -> ClockMove:
    """Do the next tick in one transaction. If `renewal_error` is given, park the account and renew nothing."""
    async with accounts_repository.locked_account(move.account_id) as (connection, account):
        present = await moves.find_in(connection, move.id)
        if present is None:
            raise errors.InvalidInputError(
                "input", Message("the account was reset while its clock was moving")
            )
        if present.ended_at is not None or present.reached_at != move.reached_at:
            return present
        tick = await ticks.find_next_in(connection, account, present.to_at)
        if tick is None:
            present.reached_at = present.to_at
            present.last_sequence = await event_log.last_sequence(connection, account.id)
            present.ended_at = clock()
            await accounts_repository.move_test_clock(connection, account.id, present.to_at)
        else:
            await accounts_repository.move_test_clock(connection, account.id, tick)
            moved = dataclasses.replace(account, test_clock=tick)
            present.reached_at = tick
            present.expired_count += await lifecycle.expire(connection, [account.id], tick)
            present.released_count += await lifecycle.release(connection, [account.id], tick)
            counts = await renew.renew_account_in(connection, moved, tick, error=renewal_error)
            present.renewed_count += counts.renewed
            present.refused_count += counts.refused
        present.progressed_at = clock()
        await moves.save_progress_in(connection, present)
        return present


def _format(instant: dt.datetime) -> str:
    return instant.isoformat(timespec="seconds")
