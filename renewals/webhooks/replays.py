"""Replay of events to an endpoint: one parked delivery, or an account's events from a sequence on."""

import datetime as dt
import uuid

from renewals.db import connection as database
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.events import event_log, pubsub, webhook_cursors
from renewals.webhooks import claims, deliveries, endpoints
from renewals.webhooks.endpoints import Endpoint


async def replay(
    owner: str | None,
    endpoint_id: str,
    account_id: str,
    sequence: int,
    clock: Clock,
    *,
    and_all_after: bool = False,
) -> Endpoint:
    """Unpark a delivery so that it is retried, or send an event and all later events of its account again.

    If `and_all_after` is True, the events of the types that the endpoint receives are sent, whether or not they were
    delivered before. Otherwise, only a parked delivery is retried.

    Raises InvalidInputError for an unknown endpoint, and for a sequence that cannot be replayed. If `and_all_after` is
    True, the account must have the event. Otherwise, the event must have a parked delivery and a type that the endpoint
    receives.
    """
    async with database.transaction() as connection:
        endpoint = await endpoints.get_in(connection, owner, endpoint_id)
        await replay_in(connection, endpoint, account_id, sequence, clock, and_all_after=and_all_after)
    return endpoint


async def replay_in(
    connection: database.Connection,
    endpoint: Endpoint,
    account_id: str,
    sequence: int,
    clock: Clock,
    *,
    and_all_after: bool,
) -> None:
    """Replay events in the caller's transaction. Raises InvalidInputError for a sequence that cannot be replayed."""
    await claims.lock_claim_in(connection, endpoint.id)
    if and_all_after:
        await _rewind_in(connection, endpoint.id, account_id, sequence)
    else:
        await _retry_parked_in(connection, endpoint, account_id, sequence, clock())
    database.after_commit(connection, lambda: pubsub.publish([account_id]))


async def _retry_parked_in(
    connection: database.Connection, endpoint: Endpoint, account_id: str, sequence: int, now: dt.datetime
) -> None:
    parked = await deliveries.unpark_in(connection, endpoint.id, account_id, sequence)
    if parked is None:
        reason = Message("event {sequence} has no parked delivery", sequence=sequence)
        raise errors.InvalidInputError("input.sequence", reason)
    lane, event_type = parked
    if not endpoint.wants(event_type):
        reason = Message("the endpoint does not receive {event_type} events", event_type=event_type)
        raise errors.InvalidInputError("input.sequence", reason)
    await deliveries.schedule_lane_heads_in(connection, endpoint.id, [(account_id, lane)], now)


async def _rewind_in(
    connection: database.Connection, endpoint_id: uuid.UUID, account_id: str, sequence: int
) -> None:
    last = await event_log.last_sequence(connection, account_id)
    if last == 0:
        raise errors.InvalidInputError("input.sequence", Message("the account has no events"))
    if not 1 <= sequence <= last:
        raise errors.InvalidInputError("input.sequence", event_log.sequence_problem(sequence, 1, last))
    await deliveries.delete_from_in(connection, endpoint_id, account_id, sequence)
    await webhook_cursors.rewind_in(connection, endpoint_id, account_id, sequence)
