"""How a call names its instances, and the selection that is read for it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals import database, errors, filters, inventory, planning, settings, terms
from renewals.database import Connection


@dataclass(frozen=True, slots=True)
class PickIds:
    """Instances by id."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PickMatching:
    """All that a filter matches, except some."""

    filter: filters.InstanceFilter
    except_ids: tuple[str, ...] = ()


Pick = PickIds | PickMatching


def check(pick: Pick) -> None:
    """Raises InvalidInput for a selection that is empty, too large, or has a condition out of bounds."""
    instances_max = settings.get().instances_per_selection_max
    match pick:
        case PickIds(ids):
            if not ids:
                raise errors.InvalidInput("input.selection.ids", "must name an instance at least")
            if len(set(ids)) > instances_max:
                raise errors.InvalidInput("input.selection.ids", f"must be {instances_max} instances at most")
        case PickMatching(instance_filter):
            filters.check(instance_filter, "input.selection.matching.filter")


async def select(connection: Connection, account_id: str, pick: Pick, now: dt.datetime) -> planning.Selection:
    """Reads the instances that were picked, with the bundles they touch."""
    match pick:
        case PickIds(ids):
            return await _select_ids(connection, account_id, ids)
        case PickMatching(instance_filter, except_ids):
            return await _select_matching(connection, account_id, instance_filter, except_ids, now)


async def _select_ids(
    connection: Connection, account_id: str, instance_ids: Sequence[str]
) -> planning.Selection:
    """The selection of some ids, each once; what the account does not have is missing."""
    wanted = list(dict.fromkeys(instance_ids))
    sql = f"SELECT {inventory.COLUMNS} FROM instances i WHERE i.account_id = $1 AND i.id = ANY($2)"
    rows = await database.fetch(connection, sql, account_id, filters.storable(wanted))
    found = {row[0]: terms.Instance._make(row) for row in rows}
    picked = [found[instance_id] for instance_id in wanted if instance_id in found]
    missing_ids = [instance_id for instance_id in wanted if instance_id not in found]
    return planning.Selection(picked, await _bundle_members(connection, account_id, picked), missing_ids)


async def _select_matching(
    connection: Connection,
    account_id: str,
    instance_filter: filters.InstanceFilter,
    except_ids: Sequence[str],
    now: dt.datetime,
) -> planning.Selection:
    """The selection of all that a filter matches except some; raises InvalidInput beyond the limit (rule 26)."""
    instances_max = settings.get().instances_per_selection_max
    found = filters.conditions(account_id, instance_filter, now)
    found.add("i.id <> ALL({})", filters.storable(except_ids))
    sql = f"""SELECT {inventory.COLUMNS} FROM {filters.SOURCE} WHERE {found.where}
              ORDER BY coalesce(i.expires_at, 'infinity'), i.id LIMIT {instances_max + 1}"""
    picked = [terms.Instance._make(row) for row in await database.fetch(connection, sql, *found.values)]
    if len(picked) > instances_max:
        raise errors.InvalidInput("input.selection.matching", f"matches more than {instances_max} instances")
    members = await _bundle_members(connection, account_id, picked)
    return planning.Selection(picked, members, excepted_ids=frozenset(except_ids))


async def _bundle_members(
    connection: Connection, account_id: str, picked: Sequence[terms.Instance]
) -> dict[str, list[terms.Instance]]:
    bundle_ids = sorted({instance.bundle_id for instance in picked if instance.bundle_id is not None})
    if not bundle_ids:
        return {}
    sql = f"SELECT {inventory.COLUMNS} FROM instances i WHERE i.account_id = $1 AND i.bundle_id = ANY($2) ORDER BY i.id"
    members: dict[str, list[terms.Instance]] = {}
    for row in await database.fetch(connection, sql, account_id, bundle_ids):
        instance = terms.Instance._make(row)
        members.setdefault(str(instance.bundle_id), []).append(instance)
    return members
