"""What a request has worked out besides the fields that it writes, by its arguments and the size of the account."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from graphql import FieldNode, GraphQLField

from renewals.domain import limits
from schema.limits import list_sizes, weights
from schema.limits.list_sizes import Bound, Length, Variables

Place: TypeAlias = tuple[str, str]
"""The names of a type and of a field of it."""

_INDEXED = frozenset({"ids", "tab", "expiresFrom", "expiresBefore", "expiresWithinDays"})
"""The members of a filter that an index answers, in the order of expiry."""
_OFFSET_MAX = 2**31


def work(place: Place, node: FieldNode, field: GraphQLField) -> Length | None:
    """Return the work of a field each time that it is answered, if there is any."""
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
    """Return the work of a field that is done once for all that answer it."""
    return _foreseen(weights.OUTLOOK_MONTHS) if place == ("Instance", "outlook") else None


def bound(place: Place) -> Bound | None:
    """Return the length of a list that depends on what the account has."""
    return _HELD.get(place)


def forecast_work(auto_instances: int, months: int) -> int:
    """Return what it costs to foresee an account's renewals of some months."""
    return weights.FORECAST_RENEWAL * auto_instances * months


def _foreseen(months: int) -> Length:
    return lambda variables: forecast_work(variables.size.auto_instances, months)


def _forecast(node: FieldNode, field: GraphQLField) -> Length:
    days = list_sizes.number(node, field, "days", limits.FORECAST_DAYS_MAX)
    return lambda variables: forecast_work(variables.size.auto_instances, 1 + days(variables) // 30)


def _instances(node: FieldNode, field: GraphQLField) -> Length | None:
    """The rows that are read to find a page, unless it stands together in an index."""
    given = list_sizes.arguments(node)
    named = list_sizes.count_named(node, field)
    if given.keys().isdisjoint(("filter", "orderBy", "offset")):
        return None
    offset = list_sizes.number(node, field, "offset", _OFFSET_MAX)

    def scanned(variables: Variables) -> int:
        conditions = list_sizes.members(given.get("filter"), variables)
        found = named(variables) if named else 0
        if "search" in conditions:
            return found + int(weights.SEARCH * variables.size.instances)
        order = list_sizes.members(given.get("orderBy"), variables)
        if not conditions <= _INDEXED or order:
            return found + int(weights.SCAN * variables.size.instances)
        passed = offset(variables)
        return found + (int(weights.SCAN * min(passed, variables.size.instances)) if passed else 0)

    return scanned


def _slice(node: FieldNode, field: GraphQLField) -> Length:
    passed = list_sizes.number(node, field, "offset", limits.INSTANCES_PER_SELECTION_MAX)
    return lambda variables: int(weights.LINES_PASSED * passed(variables))


_BY_ARGUMENTS: Mapping[Place, Callable[[FieldNode, GraphQLField], Length | None]] = {
    ("Query", "forecast"): _forecast,
    ("Query", "instances"): _instances,
    ("RenewOrder", "lines"): _slice,
    ("Refund", "lines"): _slice,
    ("Bundle", "instances"): _slice,
}
_BY_SIZE: Mapping[Place, Length] = {
    ("InstanceConnection", "totalCount"): lambda variables: int(weights.COUNT * variables.size.instances),
    ("InstanceConnection", "facets"): lambda variables: int(weights.FACET * variables.size.instances),
    ("RenewOrderConnection", "totalCount"): lambda variables: int(
        weights.ENTRY * variables.size.ledger_entries
    ),
    ("LedgerEntryConnection", "totalCount"): lambda variables: int(
        weights.ENTRY * variables.size.ledger_entries
    ),
    ("Instance", "attempts"): lambda _: weights.NESTED_HISTORY,
    ("Instance", "orders"): lambda _: weights.NESTED_HISTORY,
    ("RenewOrder", "lineCount"): lambda _: weights.NESTED_COUNT,
    ("Refund", "lineCount"): lambda _: weights.NESTED_COUNT,
}
_NAMED: Mapping[Place, int] = {
    ("Query", "quoteRenewal"): weights.QUOTE,
    ("Query", "quoteUnifyExpiry"): weights.QUOTE,
    ("Mutation", "renewInstances"): weights.RENEWAL,
    ("Mutation", "unifyExpiry"): weights.RENEWAL,
    ("Mutation", "setRenewalPolicy"): weights.POLICY,
}
"""For each instance that an input names."""
_VOUCHERS = Bound(lambda variables: max(list_sizes.LIST_LENGTH, variables.size.vouchers), reaches_far=False)
_HELD: Mapping[Place, Bound] = {
    ("Account", "vouchers"): _VOUCHERS,
    ("Quote", "vouchers"): _VOUCHERS,
}
