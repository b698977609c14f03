"""The work of a request besides the fields of its result, and the bounds of some lists.

Most of both are computed from arguments and the size of the account.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from graphql import FieldNode, GraphQLField

from renewals.domain import instance_actions, limits
from renewals.forecasts import groups
from renewals.i18n import labels
from renewals.instances import facets
from schema.limits import list_sizes, weights
from schema.limits.list_sizes import Bound, Length, Variables

Place: TypeAlias = tuple[str, str]
"""The names of a type and of one of its fields."""

PAGES = frozenset({("Query", name) for name in ("instances", "orders", "ledger", "eventHistory")})
"""The fields that return a page of one of the account's lists."""
_INDEXED = frozenset(
    {"ids", "tab", "expiresFrom", "expiresBefore", "expiresOnFrom", "expiresOnTo", "expiresWithinDays"}
)
"""The conditions of a filter for which an index has the rows, by id or in the order of expiry."""
_INDEXED_OF_HISTORIES = frozenset({"vouchers", "instanceId"})
"""The conditions for which an index has the rows of orders, of the ledger or of events."""
_OFFSET_MAX = 2**31
_CLOCK_MOVE_DAYS_MAX = 31 * limits.CLOCK_MOVE_MONTHS_MAX


def work(place: Place, node: FieldNode, field: GraphQLField) -> Length | None:
    """Return the work of a field each time it is resolved; None if there is none."""
    if place in _BY_ARGUMENTS:
        return _BY_ARGUMENTS[place](node, field)
    if place in _BY_SIZE:
        return _BY_SIZE[place]
    named = list_sizes.count_named(node, field)
    weight = _NAMED.get(place, weights.CHANGE if place[0] == "Mutation" else 0)
    call = (weights.CHANGE_CALL if place[0] == "Mutation" else weights.QUOTE_CALL) if weight else 0
    if named is None:
        return (lambda _: call) if call else None
    return lambda variables: call + (1 + weight) * named(variables)


def batch_work(place: Place) -> Length | None:
    """Return the work of a field that is done once for all objects of one selection; None if there is none."""
    return _outlook_work(weights.OUTLOOK_MONTHS) if place == ("Instance", "outlook") else None


def bound(place: Place) -> Bound | None:
    """Return the bound of a list that has one in `_BOUNDS`; None for any other list."""
    return _BOUNDS.get(place)


def forecast_work(auto_instances: int, months: int) -> int:
    """Return the work of forecasting the renewals of `auto_instances` instances for `months` months."""
    return weights.FORECAST_RENEWAL * auto_instances * months


def _outlook_work(months: int) -> Length:
    return lambda variables: forecast_work(variables.size.auto_instances, months)


def _forecast(node: FieldNode, field: GraphQLField) -> Length:
    days = list_sizes.number(node, field, "days", limits.FORECAST_DAYS_MAX)
    return lambda variables: forecast_work(variables.size.auto_instances, 1 + days(variables) // 30)


def _instances(node: FieldNode, field: GraphQLField) -> Length | None:
    """Return the work of finding a page; None if there is no filter, order or offset, because an index has the page."""
    arguments = list_sizes.arguments(node)
    named = list_sizes.count_named(node, field)
    if arguments.keys().isdisjoint(("filter", "orderBy", "offset")):
        return None
    offset = list_sizes.number(node, field, "offset", _OFFSET_MAX)

    def scanned(variables: Variables) -> int:
        conditions = list_sizes.members(arguments.get("filter"), variables)
        ids = named(variables) if named else 0
        if "search" in conditions:
            return ids + int(weights.SEARCH * variables.size.instances)
        order = list_sizes.members(arguments.get("orderBy"), variables)
        if not conditions <= _INDEXED or order:
            return ids + int(weights.SCAN * variables.size.instances)
        skipped = offset(variables)
        return ids + (int(weights.SCAN * min(skipped, variables.size.instances)) if skipped else 0)

    return scanned


def _history(node: FieldNode, field: GraphQLField) -> Length:
    """Return the maximum work, for given variables, of finding the rows of a history that match its filter."""
    filter_node = list_sizes.arguments(node).get("filter")
    named = list_sizes.count_named(node, field)

    def passed(variables: Variables) -> int:
        is_scanned = not list_sizes.members(filter_node, variables) <= _INDEXED_OF_HISTORIES
        rows = int(weights.ENTRY * _history_rows(node, variables)) if is_scanned else 0
        return rows + (named(variables) if named else 0)

    return passed


def _history_rows(node: FieldNode, variables: Variables) -> int:
    is_of_events = node.name.value == "eventHistory"
    return variables.size.events if is_of_events else variables.size.ledger_entries


def _slice(node: FieldNode, field: GraphQLField) -> Length:
    skipped = list_sizes.number(node, field, "offset", limits.INSTANCES_PER_SELECTION_MAX)
    return lambda variables: int(weights.LINES_PASSED * skipped(variables))


def _clock_move(node: FieldNode, field: GraphQLField) -> Length:
    """Return the work of moving a test clock, which grows with the days of the move, up to CLOCK_MOVE_MAX.

    A move costs one call if it is refused because the account has no test clock or the days are out of bounds.
    """
    input_node = list_sizes.arguments(node).get("input")

    def moved(variables: Variables) -> int:
        size = variables.size
        to = list_sizes.text(input_node, "to", variables)
        days = _days_between(size.test_clock, to) if size.test_clock and to else 0
        if not 0 < days <= _CLOCK_MOVE_DAYS_MAX:
            return weights.CHANGE_CALL
        work = days * (weights.CLOCK_DAY + weights.CLOCK_DAY_INSTANCE * size.auto_instances)
        return weights.CHANGE_CALL + min(work, weights.CLOCK_MOVE_MAX)

    return moved


def _days_between(clock: dt.datetime, to: str) -> int:
    """Return the length of a move in days, rounded up; 0 if `to` is not an instant."""
    try:
        return math.ceil((dt.datetime.fromisoformat(to) - clock) / dt.timedelta(days=1))
    except (ValueError, TypeError, OverflowError):
        return 0


_BY_ARGUMENTS: Mapping[Place, Callable[[FieldNode, GraphQLField], Length | None]] = {
    ("Mutation", "advanceTestClock"): _clock_move,
    ("Query", "forecast"): _forecast,
    ("Query", "instances"): _instances,
    ("Query", "orders"): _history,
    ("Query", "ledger"): _history,
    ("Query", "eventHistory"): _history,
    ("RenewOrder", "lines"): _slice,
    ("Refund", "lines"): _slice,
    ("Bundle", "instances"): _slice,
}
_BY_SIZE: Mapping[Place, Length] = {
    ("InstanceConnection", "totalCount"): lambda variables: int(weights.COUNT * variables.size.instances),
    ("InstanceConnection", "facets"): lambda variables: int(weights.FACET * variables.size.instances),
    ("InstanceFacets", "tags"): lambda variables: int(weights.FACET * variables.size.instances),
    ("Forecast", "groups"): lambda variables: int(weights.FACET * variables.size.auto_instances),
    ("RenewOrderConnection", "totalCount"): lambda variables: int(
        weights.ENTRY * variables.size.ledger_entries
    ),
    ("LedgerEntryConnection", "totalCount"): lambda variables: int(
        weights.ENTRY * variables.size.ledger_entries
    ),
    ("EventConnection", "totalCount"): lambda variables: int(weights.ENTRY * variables.size.events),
    ("Instance", "attempts"): lambda _: weights.NESTED_HISTORY,
    ("Instance", "orders"): lambda _: weights.NESTED_HISTORY,
    ("Event", "summary"): lambda _: weights.SUMMARY,
    ("Instance", "releasesAt"): lambda _: weights.RELEASE_TIME,
    ("RenewOrder", "lineCount"): lambda _: weights.NESTED_COUNT,
    ("Refund", "lineCount"): lambda _: weights.NESTED_COUNT,
}
_NAMED: Mapping[Place, int] = {
    ("Query", "quoteRenewal"): weights.QUOTE,
    ("Query", "quoteUnifyExpiry"): weights.QUOTE,
    ("Query", "previewRenewalPolicy"): weights.QUOTE,
    ("Mutation", "renewInstances"): weights.RENEWAL,
    ("Mutation", "unifyExpiry"): weights.RENEWAL,
    ("Mutation", "setRenewalPolicy"): weights.POLICY,
    ("Mutation", "setTags"): weights.POLICY,
}
"""The weight of each instance named in the input of a field."""
_VOUCHERS = Bound(lambda variables: max(list_sizes.LIST_LENGTH, variables.size.vouchers), reaches_far=False)
_BOUNDS: Mapping[Place, Bound] = {
    ("Forecast", "groups"): Bound(
        lambda variables: min(groups.GROUPS_MAX, max(list_sizes.LIST_LENGTH, variables.size.auto_instances)),
        reaches_far=False,
    ),
    ("InstanceFacets", "tags"): Bound(
        lambda variables: min(facets.TAG_VALUES_MAX, variables.size.instances), reaches_far=False
    ),
    ("Account", "vouchers"): _VOUCHERS,
    ("Quote", "vouchers"): _VOUCHERS,
    ("Query", "labels"): Bound(labels.COUNT, reaches_far=False),
    ("Instance", "actions"): Bound(len(instance_actions.InstanceActionKind), reaches_far=False),
    ("AdvanceTestClockSuccess", "events"): Bound(limits.PAGE_ROWS_MAX, reaches_far=False),
}
