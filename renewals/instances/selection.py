"""How a call names its instances, and the selection that is read for it."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from renewals.db import connection as database
from renewals.db import sql as db_sql
from renewals.db.connection import Connection
from renewals.domain import errors, limits, model
from renewals.domain import selection as domain_selection
from renewals.instances import filters, repository

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ById:
    """Instances by id."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByFilter:
    """All that a filter matches, except some."""

    filter: filters.InstanceFilter
    except_ids: tuple[str, ...] = ()


InstanceSelector = ById | ByFilter

INSTANCES_IN_PLACE_MAX = 200
"""So many are planned in some 10 ms."""


def check_selector(pick: InstanceSelector) -> None:
    """Raises InvalidInputError for a selection that is empty, too large, or has a condition out of bounds."""
    instances_max = limits.INSTANCES_PER_SELECTION_MAX
    match pick:
        case ById(ids):
            if not ids:
                raise errors.InvalidInputError("input.selection.ids", "must name an instance at least")
            if len(set(ids)) > instances_max:
                raise errors.InvalidInputError(
                    "input.selection.ids", f"must be {instances_max} instances at most"
                )
        case ByFilter(instance_filter, except_ids):
            filters.check(instance_filter, "input.selection.matching.filter")
            if len(except_ids) > instances_max:
                raise errors.InvalidInputError(
                    "input.selection.matching.except", f"must be {instances_max} instances at most"
                )


async def resolve_selection(
    connection: Connection,
    account_id: str,
    pick: InstanceSelector,
    handling: model.BundleHandling,
    now: dt.datetime,
) -> domain_selection.Selection:
    """Reads the instances that were picked, with the bundles they touch; raises InvalidInputError beyond the limit."""
    if isinstance(pick, ById):
        selection = await _select_ids(connection, account_id, pick.ids, now)
    else:
        selection = await _select_matching(connection, account_id, pick.filter, pick.except_ids, now)
    if handling is model.BundleHandling.WHOLE:
        single_count = sum(instance.bundle_id is None for instance in selection.picked)
        member_count = sum(map(len, selection.bundle_members.values()))
        _check_count(single_count + member_count, "input.bundles")
    return selection


def is_large(pick: InstanceSelector) -> bool:
    """Return whether a call may be for so many instances that planning it takes long."""
    return isinstance(pick, ByFilter) or len(pick.ids) > INSTANCES_IN_PLACE_MAX


async def plan_aside(
    selected: domain_selection.Selection,
    plan: Callable[Arguments, Value],
    /,
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Value:
    """Return what a pure function plans, in a thread where that takes long, so that others are answered meanwhile."""
    if len(selected.picked) <= INSTANCES_IN_PLACE_MAX:
        return plan(*args, **kwargs)
    return await asyncio.to_thread(plan, *args, **kwargs)


def _check_count(count: int, field: str) -> None:
    instances_max = limits.INSTANCES_PER_SELECTION_MAX
    if count > instances_max:
        raise errors.InvalidInputError(field, f"is more than {instances_max} instances")


async def _select_ids(
    connection: Connection, account_id: str, instance_ids: Sequence[str], now: dt.datetime
) -> domain_selection.Selection:
    """The selection of some ids, each once; what the account does not have is missing."""
    wanted = list(dict.fromkeys(instance_ids))
    conditions = db_sql.WhereClause()
    conditions.add("i.account_id = {} AND i.id = ANY({})", account_id, db_sql.storable_texts(wanted))
    instances = {instance.id: instance for instance in await _read(connection, conditions, now)}
    picked = [instances[instance_id] for instance_id in wanted if instance_id in instances]
    missing_ids = [instance_id for instance_id in wanted if instance_id not in instances]
    members = await _bundle_members(connection, account_id, picked, now)
    return domain_selection.Selection(picked, members, missing_ids)


async def _select_matching(
    connection: Connection,
    account_id: str,
    instance_filter: filters.InstanceFilter,
    except_ids: Sequence[str],
    now: dt.datetime,
) -> domain_selection.Selection:
    """The selection of all that a filter matches except some, by expiry."""
    conditions = filters.conditions(account_id, instance_filter, now)
    conditions.add("i.id <> ALL({})", db_sql.storable_texts(except_ids))
    limit = limits.INSTANCES_PER_SELECTION_MAX + 1
    order = f"ORDER BY {filters.EXPIRY}, i.id LIMIT {limit}"
    picked = await _read(connection, conditions, now, order)
    _check_count(len(picked), "input.selection.matching")
    members = await _bundle_members(connection, account_id, picked, now)
    return domain_selection.Selection(picked, members, excepted_ids=frozenset(except_ids))


async def _bundle_members(
    connection: Connection, account_id: str, picked: Sequence[model.Instance], now: dt.datetime
) -> dict[str, list[model.Instance]]:
    bundle_ids = sorted({instance.bundle_id for instance in picked if instance.bundle_id is not None})
    members: dict[str, list[model.Instance]] = {}
    if bundle_ids:
        conditions = db_sql.WhereClause()
        conditions.add("i.account_id = {} AND i.bundle_id = ANY({})", account_id, bundle_ids)
        for instance in await _read(connection, conditions, now, "ORDER BY i.id"):
            members.setdefault(str(instance.bundle_id), []).append(instance)
    return members


async def _read(
    connection: Connection, conditions: db_sql.WhereClause, now: dt.datetime, order: str = ""
) -> list[model.Instance]:
    columns = repository.columns_with_status(conditions.bind(now))
    sql = f"SELECT {columns} FROM instances i WHERE {conditions.where} {order}"
    return [model.Instance._make(row) for row in await database.fetch(connection, sql, *conditions.values)]
