"""The actions on instances of one account, read for a whole page."""

import datetime as dt
from collections.abc import Sequence

from renewals import catalog
from renewals.db import connection as database
from renewals.domain import instance_actions, model, planning
from renewals.instances import selection as instances_selection


async def read_actions(
    connection: database.Connection,
    account: model.Account,
    rows: Sequence[instance_actions.ActionFacts],
    now: dt.datetime,
) -> list[instance_actions.InstanceActions]:
    """Return the actions of each instance, in at most two statements."""
    bundle_ids = {row.bundle_id for row in rows if row.bundle_id is not None}
    members = await instances_selection.read_bundle_members(connection, account.id, bundle_ids, now)
    products = await catalog.read_products(connection)
    return instance_actions.list_actions(rows, members, planning.PlanContext(products, account.zone, now))
