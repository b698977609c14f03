"""Selectors of instances, by id or by filter, and their resolution to a selection."""

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from renewals.db import connection as database
from renewals.db import sql as db_sql
from renewals.db.connection import Connection
from renewals.domain import errors, limits, model
from renewals.domain import selection as domain_selection
from renewals.domain.messages import Message
from renewals.instances import filters, repository

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ById:
    """A selector of instances by id."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByFilter:
    """A selector of all instances that a filter matches, except some ids."""

    filter: filters.InstanceFilter
    except_ids: tuple[str, ...] = ()


InstanceSelector = ById | ByFilter

INSTANCES_IN_PLACE_MAX = 200
"""The number of instances that are planned in about 10 ms, in the event loop."""


def check_selector(selector: InstanceSelector) -> None:
    """Raise InvalidInputError for a selector that is empty, too large, or has a condition out of bounds."""
    instances_max = limits.INSTANCES_PER_SELECTION_MAX
    match selector:
        case ById(ids):
            if not ids:
                raise errors.InvalidInputError(
                    "input.selection.ids", Message("must name at least one instance")
                )
            if len(set(ids)) > instances_max:
                raise errors.InvalidInputError("input.selection.ids", _too_many(instances_max))
        case ByFilter(instance_filter, except_ids):
            filters.check_filter(instance_filter, "input.selection.matching.filter")
            if len(except_ids) > instances_max:
                raise errors.InvalidInputError("input.selection.matching.except", _too_many(instances_max))


def _too_many(instances_max: int) -> Message:
    return Message("must name at most {count} instances", count=instances_max)


async def resolve_selection(
    connection: Connection,
    account_id: str,
    selector: InstanceSelector,
    handling: model.BundleHandling,
    now: dt.datetime,
) -> domain_selection.Selection:
    """Return the selected instances with their bundles. Raises InvalidInputError beyond the limit (rule 26).

    A caller that writes holds the account's row first, by `accounts.repository.locked_account`.
    """
    if isinstance(selector, ById):
        selection = await _select_ids(connection, account_id, selector.ids, now)
    else:
        selection = await _select_matching(connection, account_id, selector.filter, selector.except_ids, now)
    if handling is model.BundleHandling.WHOLE:
        single_count = sum(instance.bundle_id is None for instance in selection.instances)
        member_count = sum(map(len, selection.bundle_members.values()))
        _check_count(single_count + member_count, "input.bundles")
    return selection


def is_large(selector: InstanceSelector) -> bool:
    """Return whether a selector may select too many instances to plan them in the event loop."""
    return isinstance(selector, ByFilter) or len(selector.ids) > INSTANCES_IN_PLACE_MAX


async def plan_without_blocking(
    selection: domain_selection.Selection,
    plan: Callable[Arguments, Value],
    /,
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Value:
    """Call a pure function, in a thread if the selection is large, so that the event loop is not blocked."""
    if len(selection.instances) <= INSTANCES_IN_PLACE_MAX:
        return plan(*args, **kwargs)
    return await asyncio.to_thread(plan, *args, **kwargs)


def _check_count(count: int, field: str) -> None:
    instances_max = limits.INSTANCES_PER_SELECTION_MAX
    if count > instances_max:
        raise errors.InvalidInputError(
            field, Message("selects more than {count} instances", count=instances_max)
        )


async def _select_ids(
    connection: Connection, account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> domain_selection.Selection:
    """Return the selection of distinct ids; ids that the account does not have are missing."""
    ids = list(dict.fromkeys(instance_ids))
    conditions = db_sql.WhereClause()
    conditions.add("i.account_id = {} AND i.id = ANY({})", account_id, db_sql.storable_texts(ids))
    by_id = {instance.id: instance for instance in await _read(connection, conditions, now)}
    instances = [by_id[instance_id] for instance_id in ids if instance_id in by_id]
    missing_ids = [instance_id for instance_id in ids if instance_id not in by_id]
    members = await read_bundle_members(connection, account_id, _bundle_ids(instances), now)
    return domain_selection.Selection(instances, members, missing_ids)


async def _select_matching(
    connection: Connection,
    account_id: str,
    instance_filter: filters.InstanceFilter,
    except_ids: Sequence[str],
    now: dt.datetime,
) -> domain_selection.Selection:
    """Return the selection of all instances that a filter matches except some ids, by expiry."""
    conditions = filters.build_conditions(account_id, instance_filter, now)
    conditions.add("i.id <> ALL({})", db_sql.storable_texts(except_ids))
    limit = limits.INSTANCES_PER_SELECTION_MAX + 1
    order = f"ORDER BY {filters.EXPIRY}, i.id LIMIT {limit}"
    instances = await _read(connection, conditions, now, order)
    _check_count(len(instances), "input.selection.matching")
    members = await read_bundle_members(connection, account_id, _bundle_ids(instances), now)
    return domain_selection.Selection(instances, members, excepted_ids=frozenset(except_ids))


def _bundle_ids(instances: Sequence[model.Instance]) -> frozenset[str]:
    return frozenset(instance.bundle_id for instance in instances if instance.bundle_id is not None)


async def read_bundle_members(
    connection: Connection, account_id: str, bundle_ids: Collection[str], now: dt.datetime
) -> dict[str, list[model.Instance]]:
    """Return all members of bundles by bundle id, in order of id and with their status at `now`."""
    members: dict[str, list[model.Instance]] = {}
    if bundle_ids:
        conditions = db_sql.WhereClause()
        conditions.add("i.account_id = {} AND i.bundle_id = ANY({})", account_id, sorted(bundle_ids))
        for instance in await _read(connection, conditions, now, "ORDER BY i.id"):
            members.setdefault(str(instance.bundle_id), []).append(instance)
    return members


async def _read(
    connection: Connection, conditions: db_sql.WhereClause, now: dt.datetime, order: str = ""
) -> list[model.Instance]:
    columns = repository.columns_with_status(conditions.bind(now))
    sql = f"SELECT {columns} FROM instances i WHERE {conditions.where} {order}"
    return [model.Instance._make(row) for row in await database.fetch(connection, sql, *conditions.values)]
