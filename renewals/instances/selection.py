"""Selectors of instances, by id or by filter, and their resolution to a selection."""

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from renewals.db import sql as db_sql
from renewals.db import statements
from renewals.db.connection import Connection
from renewals.domain import errors, limits, model, validation
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
"""The maximum number of instances that are planned in the event loop; planning them takes about 10 ms."""


def check_selector(selector: InstanceSelector) -> None:
    """Raise InvalidInputError for a selector that names no or too many ids, or has a condition out of bounds."""
    instances_max = limits.INSTANCES_PER_SELECTION_MAX
    match selector:
        case ById(ids):
            if not ids:
                raise errors.InvalidInputError("input.selection.ids", validation.NO_ITEMS)
            if len(distinct := set(ids)) > instances_max:
                problem = validation.at_most_items(instances_max, distinct)
                raise errors.InvalidInputError("input.selection.ids", problem)
        case ByFilter(instance_filter, except_ids):
            filters.check_filter(instance_filter, "input.selection.matching.filter")
            if len(except_ids) > instances_max:
                problem = validation.at_most_items(instances_max, except_ids)
                raise errors.InvalidInputError("input.selection.matching.except", problem)


async def resolve_selection(
    connection: Connection,
    account_id: str,
    selector: InstanceSelector,
    handling: model.BundleHandling,
    now: dt.datetime,
) -> domain_selection.Selection:
    """Return the selected instances with their bundles.

    A caller that writes must first lock the account's row with `accounts.repository.locked_account`.
    Raises InvalidInputError if more instances are selected than rule 26 allows.
    """
    instances = await select_instances(account_id, selector, now).fetch(connection)
    return await complete_selection(connection, account_id, selector, instances, handling, now)


def select_instances(
    account_id: str, selector: InstanceSelector, now: dt.datetime
) -> statements.Query[list[model.Instance]]:
    """Return the query of the selected instances.

    Instances that are selected by id are in no particular order. Instances that are selected by filter are sorted by
    expiry; the query returns at most one more than the limit, so that `complete_selection` detects an excess.
    """
    if isinstance(selector, ById):
        conditions = db_sql.WhereClause()
        ids = db_sql.storable_texts(list(dict.fromkeys(selector.ids)))
        conditions.add("i.account_id = {} AND i.id = ANY({})", account_id, ids)
        return _query(conditions, now, is_large=is_large(selector))
    conditions = filters.build_conditions(account_id, selector.filter, now)
    conditions.add("i.id <> ALL({})", db_sql.storable_texts(selector.except_ids))
    limit = limits.INSTANCES_PER_SELECTION_MAX + 1
    return _query(conditions, now, f"ORDER BY {filters.EXPIRY}, i.id LIMIT {limit}", is_large=True)


async def complete_selection(
    connection: Connection,
    account_id: str,
    selector: InstanceSelector,
    instances: Sequence[model.Instance],
    handling: model.BundleHandling,
    now: dt.datetime,
) -> domain_selection.Selection:
    """Return the selection of the instances that `select_instances` found, with all members of their bundles.

    Ids that the account does not have are listed as missing. Raises InvalidInputError if more instances are selected
    than rule 26 allows.
    """
    if isinstance(selector, ByFilter):
        _check_count(len(instances), "input.selection.matching")
    bundle_ids = {instance.bundle_id for instance in instances if instance.bundle_id is not None}
    members = await read_bundle_members(connection, account_id, bundle_ids, now)
    if isinstance(selector, ById):
        by_id = {instance.id: instance for instance in instances}
        ids = list(dict.fromkeys(selector.ids))
        selection = domain_selection.Selection(
            [by_id[instance_id] for instance_id in ids if instance_id in by_id],
            members,
            [instance_id for instance_id in ids if instance_id not in by_id],
        )
    else:
        selection = domain_selection.Selection(
            instances, members, excepted_ids=frozenset(selector.except_ids)
        )
    if handling is model.BundleHandling.WHOLE:
        _check_count(_count_with_members(selection), "input.bundles")
    return selection


def is_large(selector: InstanceSelector) -> bool:
    """Return whether a selector can select more than INSTANCES_IN_PLACE_MAX instances.

    Members that complete a selected bundle are not counted, because only the database has their number.
    """
    return isinstance(selector, ByFilter) or len(selector.ids) > INSTANCES_IN_PLACE_MAX


async def plan_without_blocking(
    selection: domain_selection.Selection,
    plan: Callable[Arguments, Value],
    /,
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Value:
    """Call a pure function and return its result.

    If the selection has more than INSTANCES_IN_PLACE_MAX instances, with all members of their bundles, use a thread.
    """
    if _count_with_members(selection) <= INSTANCES_IN_PLACE_MAX:
        return plan(*args, **kwargs)
    return await asyncio.to_thread(plan, *args, **kwargs)


def _count_with_members(selection: domain_selection.Selection) -> int:
    """Return the number of selected instances, with all members of their bundles that the selection lists."""
    members = selection.bundle_members
    single_count = sum([instance.bundle_id not in members for instance in selection.instances])
    return single_count + sum(map(len, members.values()))


def _check_count(count: int, field: str) -> None:
    instances_max = limits.INSTANCES_PER_SELECTION_MAX
    if count > instances_max:
        raise errors.InvalidInputError(
            field, Message("selects more than {count:,} instances; split the request", count=instances_max)
        )


async def read_bundle_members(
    connection: Connection, account_id: str, bundle_ids: Collection[str], now: dt.datetime
) -> dict[str, list[model.Instance]]:
    """Return all members of bundles by bundle id, sorted by their own id and with their status at `now`."""
    members: dict[str, list[model.Instance]] = {}
    if bundle_ids:
        conditions = db_sql.WhereClause()
        conditions.add("i.account_id = {} AND i.bundle_id = ANY({})", account_id, sorted(bundle_ids))
        for instance in await _query(conditions, now, "ORDER BY i.id").fetch(connection):
            members.setdefault(str(instance.bundle_id), []).append(instance)
    return members


def _query(
    conditions: db_sql.WhereClause, now: dt.datetime, order: str = "", *, is_large: bool = False
) -> statements.Query[list[model.Instance]]:
    columns = repository.columns_with_status(conditions.bind(now))
    sql = f"SELECT {columns} FROM instances i WHERE {conditions.where} {order}"
    return statements.Query(
        sql, conditions.values, lambda rows: list(map(model.Instance._make, rows)), is_large
    )
