"""Bounds of list lengths, and counts of named objects, from a field's arguments and the size of the account."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)

from renewals.domain import limits
from renewals.instances.account_sizes import AccountSize

LIST_LENGTH = 10
"""Assumed length of a list without a known bound."""
_PAGE_ARGUMENTS = ("first", "last", "days")
_REPRESENTATIONS = "representations"  # of a subgraph's `_entities`
_NAMING_ARGUMENTS = ("input", "filter", _REPRESENTATIONS)
_DEPTH_MAX = 4
_LEAVES = frozenset({str, int, float, bool, type(None)})
_MEMBERS_MAX = 50
"""Maximum number of members of an input object that are read. All input types have fewer; validation refuses more."""


class SizeNeededError(Exception):
    """An operation whose cost depends on the size of the account, which is unknown.

    `reading` is the cost of reading the document, in the unit of all costs.
    """

    reading = 0


class Variables:
    """The variables of a request, each searched at most once for the objects that it names; the size of the account."""

    def __init__(
        self, values: Mapping[str, object], defaults: Mapping[str, object], size: AccountSize | None = None
    ) -> None:
        self._values = values
        self._defaults = defaults
        self._named: dict[str, int] = {}
        self._size = size

    @property
    def size(self) -> AccountSize:
        """The size of the account. Raises SizeNeededError if it is unknown."""
        if self._size is None:
            raise SizeNeededError
        return self._size

    def get(self, name: str, missing: object = None) -> object:
        """Return the value of a variable, or its default, or else `missing`."""
        return self._values.get(name, self._defaults.get(name, missing))

    def count_named(self, name: str) -> int:
        """Return the number of instances, or other objects, that the value of a variable names."""
        if name not in self._named:
            self._named[name] = _named_in(self.get(name), self, _DEPTH_MAX)
        return self._named[name]


Length: TypeAlias = Callable[[Variables], int]
"""A length of a list, or an amount of work, as a function of the variables of a request."""


class Bound(NamedTuple):
    """A bound of the length of a field that is a list or, below a field that is an object, of the lists directly in it.

    If `reaches_far`, it also bounds the lists in nested objects, but not the lists in the items of lists.
    """

    length: int | Length
    reaches_far: bool


def bound(node: FieldNode, field: GraphQLField) -> Bound | None:
    """Return the bound that a field's arguments set for its list or the lists below it; None if they set none."""
    values = arguments(node)
    if "input" in field.args and "input" in values:
        value = values["input"]

        def selected(variables: Variables) -> int:
            named = max(_named_in(value, variables, _DEPTH_MAX), LIST_LENGTH)
            return min(named, limits.INSTANCES_PER_SELECTION_MAX)

        return Bound(selected, reaches_far=True)
    if _REPRESENTATIONS in field.args:
        listed = values.get(_REPRESENTATIONS)
        return Bound(lambda variables: max(_named_in(listed, variables, 0), 1), reaches_far=False)
    pages = [name for name in _PAGE_ARGUMENTS if name in field.args]
    if not pages:
        return None
    return Bound(
        _page([(values.get(name), field.args[name].default_value) for name in pages]), reaches_far=False
    )


def count_named(node: FieldNode, field: GraphQLField) -> Length | None:
    """Return a function that counts the objects that the arguments name; None if the arguments cannot name any."""
    values = arguments(node)
    naming = [values[name] for name in _NAMING_ARGUMENTS if name in values and name in field.args]
    if not naming:
        return None
    return lambda variables: sum(_named_in(value, variables, _DEPTH_MAX) for value in naming)


def number(node: FieldNode, field: GraphQLField, name: str, maximum: int) -> Length:
    """Return a function that returns an argument's number or the default, limited to the range 0 to `maximum`.

    A value that is not a whole number counts as 0.
    """
    argument, default = arguments(node).get(name), field.args[name].default_value

    def value_of(variables: Variables) -> int:
        value = _value(argument, variables, default)
        return min(max(int(value), 0), maximum) if _is_whole(value) else 0

    return value_of


def members(value: ValueNode | None, variables: Variables) -> frozenset[str]:
    """Return the names of the members of an input object that are not null."""
    input_object = _value(value, variables)
    if not isinstance(input_object, dict):
        return frozenset()
    return frozenset(name for name, member in input_object.items() if member is not None)


def text(value: ValueNode | None, name: str, variables: Variables) -> str | None:
    """Return the member `name` of an input object if it is a string, or else None."""
    if isinstance(value, ObjectValueNode):
        member = next((field.value for field in value.fields if field.name.value == name), None)
        found = None if member is None else _value(member, variables)
    else:
        input_object = _value(value, variables)
        found = input_object.get(name) if isinstance(input_object, dict) else None
    return found if isinstance(found, str) else None


def arguments(node: FieldNode) -> dict[str, ValueNode]:
    """Return the values of a field's arguments by name."""
    return {argument.name.value: argument.value for argument in node.arguments or ()}


def _page(bounds: list[tuple[ValueNode | None, object]]) -> int | Length:
    """Return the number of rows of a page whose arguments have these values and, if they are not sent, defaults."""

    def rows(variables: Variables | None) -> int:
        values = [_value(node, variables, default) for node, default in bounds]
        counts = [min(max(int(value), 0), limits.PAGE_ROWS_MAX) for value in values if _is_whole(value)]
        return max(counts, default=limits.PAGE_ROWS_DEFAULT)

    return rows if any(isinstance(node, VariableNode) for node, _ in bounds) else rows(None)


def _is_whole(value: Any) -> bool:
    """Return whether a value is a number without a fraction."""
    return value is not Undefined and type(value) in (int, float) and value == value // 1


def _value(node: ValueNode | None, variables: Variables | None, missing: object = None) -> Any:
    """Return the value of an argument, or `missing` if the argument or its variable is not sent."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value, missing) if variables else missing
    return missing if node is None else value_from_ast_untyped(node)


def _named_in(value: object, variables: Variables, depth: int) -> int:
    """Return the larger of the length of a value's longest list and the number of instances its filter may match."""
    match value:
        case VariableNode():
            return variables.count_named(value.name.value)
        case ListValueNode():
            return len(value.values)
        case list() | tuple():
            return len(value)
        case ObjectValueNode():
            members = {member.name.value: member.value for member in value.fields[:_MEMBERS_MAX]}
        case dict():
            members = dict(itertools.islice(value.items(), _MEMBERS_MAX))
        case _:
            return 0
    if not depth:
        return 0
    count = 0
    if "filter" in members:
        count = min(limits.INSTANCES_PER_SELECTION_MAX, variables.size.instances)
    for member in members.values():
        if type(member) not in _LEAVES:
            count = max(count, _named_in(member, variables, depth - 1))
    return count
