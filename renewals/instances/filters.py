"""The filter of lists and selections, and its SQL conditions on `instances i` (rule 4)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals.db.sql import WhereClause, check_search, escape_like, is_storable, storable_texts
from renewals.domain import errors, limits, model, search_text, validation

MANAGEABLE = """(i.product_code = ANY(ARRAY(SELECT code FROM products WHERE renewable))
  AND NOT i.is_trial AND i.billing_mode <> 'ONE_OFF')"""
"""The SQL condition that an instance is manageable (rules 1 and 2); it does not exclude released instances."""

EXPIRY = "coalesce(i.expires_at, 'infinity')"
"""The expiry in sort orders and indexes; it is `infinity` for an instance without an expiry."""

RELEASES_AT = "releases_at(i.account_id, i.product_code, i.bundle_id, i.expires_at)"
"""The SQL of the end of an instance's retention, which is counted in days of the account's time zone.

A bundle has the longest retention of its products.
"""

WITHIN_DAYS_MAX = 36_525
TAG_CONDITIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class TagFilter:
    """The condition that an instance has a tag with the key and, unless `values` is None, with one of the values."""

    key: str
    values: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """Conditions that must all hold; a condition that is an empty list matches nothing (rule 4).

    If `status` is None, every status except RELEASED matches (rule 3). Any other field that is None sets no condition.
    """

    ids: Sequence[str] | None = None
    search: str | None = None
    tab: model.RenewalTab | None = None
    expires_from: dt.datetime | None = None
    expires_before: dt.datetime | None = None
    expires_on_from: dt.date | None = None
    expires_on_to: dt.date | None = None
    """The bounds of an instance's last day, both included, as days in the account's time zone."""
    expires_within_days: int | None = None
    products: Sequence[str] | None = None
    data_centers: Sequence[str] | None = None
    data_center_types: Sequence[str] | None = None
    status: Sequence[model.InstanceStatus] | None = None
    bundled: bool | None = None
    tags: Sequence[TagFilter] | None = None
    manageable: bool | None = True


def check_filter(instance_filter: InstanceFilter, path: str) -> None:
    """Raise InvalidInputError for a condition out of bounds; `path` is the path of the filter."""
    values_max = limits.INSTANCES_PER_SELECTION_MAX
    for name, values in (
        ("ids", instance_filter.ids),
        ("products", instance_filter.products),
        ("dataCenters", instance_filter.data_centers),
        ("dataCenterTypes", instance_filter.data_center_types),
        ("status", instance_filter.status),
        *((f"tags.{number}.values", tag.values) for number, tag in enumerate(instance_filter.tags or ())),
    ):
        if values is not None and len(values) > values_max:
            raise errors.InvalidInputError(f"{path}.{name}", validation.at_most_items(values_max, values))
    tags = instance_filter.tags or ()
    if len(tags) > TAG_CONDITIONS_MAX:
        raise errors.InvalidInputError(f"{path}.tags", validation.at_most_items(TAG_CONDITIONS_MAX, tags))
    check_search(instance_filter.search, f"{path}.search")
    days = instance_filter.expires_within_days
    if days is not None and not 0 <= days <= WITHIN_DAYS_MAX:
        raise errors.InvalidInputError(
            f"{path}.expiresWithinDays", validation.between(days, 0, WITHIN_DAYS_MAX)
        )


def build_conditions(account_id: str, instance_filter: InstanceFilter, now: dt.datetime) -> WhereClause:
    """Return the SQL conditions of a filter within one account."""
    f, where = instance_filter, WhereClause()
    account = where.bind(account_id)
    where.add(f"i.account_id = {account}")
    if f.manageable is not None:
        where.add(MANAGEABLE if f.manageable else f"NOT {MANAGEABLE}")
    if f.ids is not None:
        where.add("i.id = ANY({})", storable_texts(f.ids))
    if f.search is not None:
        _add_search(where, account, f.search)
    if f.tab is not None:
        _add_tab(where, f)
    _add_expiry(where, f, now)
    _add_last_days(where, account, f)
    if f.products is not None:
        where.add("i.product_code = ANY({})", storable_texts(f.products), facet="products")
    if f.data_centers is not None:
        where.add("i.data_center_code = ANY({})", storable_texts(f.data_centers), facet="dataCenters")
    if f.data_center_types is not None:
        of_type = "i.data_center_code = ANY(ARRAY(SELECT code FROM data_centers WHERE type_code = ANY({})))"
        where.add(of_type, storable_texts(f.data_center_types), facet="dataCenterTypes")
    _add_status(where, f.status, now)
    if f.bundled is not None:
        where.add(f"i.bundle_id IS {'NOT ' if f.bundled else ''}NULL")
    if f.tags is not None and not f.tags:
        where.add("FALSE")
    for tag in f.tags or ():
        _add_tag(where, tag)
    return where


def _add_search(conditions: WhereClause, account: str, search: str) -> None:
    """Add the condition that the id, the name or a configuration value of an instance contains a text, ignoring case.

    The index of `search_texts` contains the account and the trigrams of each stored text. A search for one or two
    ASCII characters has no trigram, so PostgreSQL reads all texts of the account by the primary key. The array makes
    PostgreSQL search the texts first, even if it expects few rows from the other conditions.
    """
    if not is_storable(search) or search_text.SEPARATOR in search:
        conditions.add("FALSE")
        return
    conditions.add(
        f"""i.id IN (SELECT unnest(ARRAY(
          SELECT s.instance_id FROM search_texts s WHERE s.account_id = {account} AND s.text LIKE {{}})))""",
        f"%{escape_like(search_text.fold(search))}%",
    )


def _add_tag(conditions: WhereClause, tag: TagFilter) -> None:
    """Add the condition on a tag.

    The condition needs no index: scanning the account's instances takes no longer than counting the facets.
    """
    if not is_storable(tag.key):
        conditions.add("FALSE")
    elif tag.values is None:
        conditions.add("i.tags ? {}::text", tag.key)
    else:
        conditions.add("i.tags ->> {}::text = ANY({})", tag.key, storable_texts(tag.values))


def status_at(now: str) -> str:
    """Return the SQL of the status at the instant of the placeholder `now`.

    The stored status can be outdated; the status at an instant follows from rules 5 and 22.
    """
    return f"""CASE WHEN i.status = 'RELEASED' OR i.expires_at IS NULL OR i.expires_at >= {now} THEN i.status
      WHEN {RELEASES_AT} < {now} THEN 'RELEASED' ELSE 'EXPIRED' END"""


def unreleased_status_at(now: str) -> str:
    """Return simpler SQL for the status of an instance that is not RELEASED; this SQL does not read the retention."""
    return f"CASE WHEN {EXPIRY} >= {now} THEN i.status ELSE 'EXPIRED' END"


def matching_status_at(instance_filter: InstanceFilter, now: str) -> str:
    """Return the SQL of the status at the instant of the placeholder `now`, for an instance that matches a filter."""
    may_be_released = model.InstanceStatus.RELEASED in (instance_filter.status or ())
    return status_at(now) if may_be_released else unreleased_status_at(now)


def _is_unreleased_at(now: str) -> str:
    """Return the SQL condition that the status at the instant of the placeholder `now` is not RELEASED.

    The condition on the stored status makes partial indexes usable.
    """
    # A lower bound of the end of the retention that needs no function: a zone's offset changes by at most two days.
    retained_until = """i.expires_at + make_interval(hours => 24 * (
        SELECT r.retention_days - 2 FROM products r WHERE r.code = i.product_code))"""
    return f"""i.status <> 'RELEASED' AND (
      {EXPIRY} >= {now} OR {retained_until} >= {now} OR {RELEASES_AT} >= {now})"""


def _add_status(
    conditions: WhereClause, statuses: Sequence[model.InstanceStatus] | None, now: dt.datetime
) -> None:
    """Add the condition on the status; if `statuses` is None, every status except RELEASED matches (rule 3)."""
    if statuses is not None and not statuses:
        conditions.add("FALSE")
        return
    at = conditions.bind(now)
    unreleased = _is_unreleased_at(at)
    if statuses is None:
        conditions.add(unreleased)
        return
    alternatives = []
    if others := [status for status in statuses if status is not model.InstanceStatus.RELEASED]:
        alternatives.append(f"({unreleased} AND {unreleased_status_at(at)} = ANY({conditions.bind(others)}))")
    if model.InstanceStatus.RELEASED in statuses:
        is_past_retention = f"(i.status <> 'RELEASED' AND {EXPIRY} < {at} AND {RELEASES_AT} < {at})"
        alternatives += ["i.status = 'RELEASED'", is_past_retention]
    conditions.add(f"({' OR '.join(alternatives)})")


def _add_tab(conditions: WhereClause, f: InstanceFilter) -> None:
    """Add the condition on the tab in terms of columns, so that an index applies (rule 3)."""
    if f.tab is model.RenewalTab.NO_EXPIRY:
        conditions.add(f"{EXPIRY} = 'infinity'", facet="tabs")
    else:
        conditions.add(f"i.renewal_mode = {{}} AND {EXPIRY} < 'infinity'", f.tab, facet="tabs")
    if f.manageable is not True:
        conditions.add(MANAGEABLE, facet="tabs")


def _add_expiry(conditions: WhereClause, f: InstanceFilter, now: dt.datetime) -> None:
    if f.expires_from is not None:
        conditions.add(f"{EXPIRY} >= {{}} AND {EXPIRY} < 'infinity'", f.expires_from, facet="expiry")
    if f.expires_before is not None:
        conditions.add(f"{EXPIRY} < {{}}", f.expires_before, facet="expiry")
    if f.expires_within_days is not None:
        until = now + dt.timedelta(days=f.expires_within_days)
        conditions.add(f"{EXPIRY} >= {{}} AND {EXPIRY} <= {{}}", now, until, facet="expiry")


def _add_last_days(conditions: WhereClause, account: str, f: InstanceFilter) -> None:
    """Add the conditions on the last day as bounds of the expiry, so that an index applies.

    The zone is read once for the statement. Each expiry is the end of a day, so the start of a day is a bound.
    """
    zone = f"(SELECT time_zone FROM accounts WHERE id = {account})"
    if f.expires_on_from is not None:
        template = f"{EXPIRY} >= ({{}}::date::timestamp AT TIME ZONE {zone}) AND {EXPIRY} < 'infinity'"
        conditions.add(template, f.expires_on_from, facet="expiry")
    if f.expires_on_to is not None:
        template = f"{EXPIRY} < (({{}}::date + 1)::timestamp AT TIME ZONE {zone})"
        conditions.add(template, f.expires_on_to, facet="expiry")
