"""How long the lists of an answer may be, and how much is named in a question, by what its arguments say."""

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
"""Of a list that no argument bounds."""
_PAGE_ARGUMENTS = ("first", "last", "days")
_NAMING_ARGUMENTS = ("input", "filter")
_DEPTH_MAX = 4
_LEAVES = frozenset({str, int, float, bool, type(None)})
_MEMBERS_MAX = 50
"""Of an input object: none has as many, and what is beyond is for the validation to refuse."""


class SizeNeededError(Exception):
    """What an operation costs depends on the size of the account, which is not given.

    `reading` is what it cost to read the document, in the unit of all costs.
    """

    reading = 0


class Variables:
    """The variables of one request, each of which is looked through once, and the size of the account that asks."""

    def __init__(
        self, given: Mapping[str, Any], defaults: Mapping[str, Any], size: AccountSize | None = None
    ) -> None:
        self._given = given
        self._defaults = defaults
        self._named: dict[str, int] = {}
        self._size = size

    @property
    def size(self) -> AccountSize:
        """The size of the account; raises SizeNeededError if it is not given."""
        if self._size is None:
            raise SizeNeededError
        return self._size

    def get(self, name: str) -> Any:
        """The value of a variable, or its default."""
        return self._given.get(name, self._defaults.get(name))

    def count_named(self, name: str) -> int:
        """How much the value of a variable names."""
        if name not in self._named:
            self._named[name] = _named_in(self.get(name), self, _DEPTH_MAX)
        return self._named[name]


Length: TypeAlias = Callable[[Variables], int]


class Bound(NamedTuple):
    """How long an argument lets the lists be that are right below its field, or all those below."""

    length: int | Length
    reaches_far: bool


def bound(node: FieldNode, field: GraphQLField) -> Bound | None:
    """What a field's arguments say of the lists below it, if anything."""
    given = arguments(node)
    if "input" in field.args and "input" in given:
        value = given["input"]

        def selected(variables: Variables) -> int:
            most = limits.INSTANCES_PER_SELECTION_MAX
            return min(max(_named_in(value, variables, _DEPTH_MAX), LIST_LENGTH), most)

        return Bound(selected, reaches_far=True)
    pages = [name for name in _PAGE_ARGUMENTS if name in field.args]
    if not pages:
        return None
    defaults = [field.args[name].default_value for name in pages if name not in given]
    nodes = [given[name] for name in pages if name in given]
    return Bound(_page(nodes, defaults), reaches_far=False)


def count_named(node: FieldNode, field: GraphQLField) -> Length | None:
    """How many instances, or others, a field's arguments name, if they can name any."""
    given = arguments(node)
    values = [given[name] for name in _NAMING_ARGUMENTS if name in given and name in field.args]
    if not values:
        return None
    return lambda variables: sum(_named_in(value, variables, _DEPTH_MAX) for value in values)


def number(node: FieldNode, field: GraphQLField, name: str, most: int) -> Length:
    """The number that an argument says, or its default, within bounds."""
    given, default = arguments(node).get(name), field.args[name].default_value

    def value_of(variables: Variables) -> int:
        value = default if given is None else _value(given, variables)
        return min(max(int(value), 0), most) if _is_whole(value) else 0

    return value_of


def members(value: ValueNode | None, variables: Variables) -> frozenset[str]:
    """The names of the members of an input object that are not null."""
    found = _value(value, variables) if value is not None else None
    if not isinstance(found, dict):
        return frozenset()
    return frozenset(name for name, member in found.items() if member is not None)


def arguments(node: FieldNode) -> dict[str, ValueNode]:
    """The values of a field's arguments."""
    return {each.name.value: each.value for each in node.arguments or ()}


def _page(nodes: list[ValueNode], defaults: list[Any]) -> int | Length:
    def rows(variables: Variables | None) -> int:
        most = limits.PAGE_ROWS_MAX
        asked = [_value(node, variables) for node in nodes]
        numbers = [min(max(int(each), 0), most) for each in (*asked, *defaults) if _is_whole(each)]
        return max(numbers, default=limits.PAGE_ROWS_DEFAULT)

    return rows if any(isinstance(node, VariableNode) for node in nodes) else rows(None)


def _is_whole(value: Any) -> bool:
    """Whether GraphQL takes a value for an Int."""
    return value is not Undefined and type(value) in (int, float) and value == value // 1


def _value(node: ValueNode, variables: Variables | None) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value) if variables else None
    return value_from_ast_untyped(node)


def _named_in(value: Any, variables: Variables, depth: int) -> int:
    """The length of the longest list in a value, or of what a filter may find."""
    match value:
        case VariableNode():
            return variables.count_named(value.name.value)
        case ListValueNode():
            return len(value.values)
        case list() | tuple():
            return len(value)
        case ObjectValueNode():
            members = {each.name.value: each.value for each in value.fields[:_MEMBERS_MAX]}
        case dict():
            members = dict(itertools.islice(value.items(), _MEMBERS_MAX))
        case _:
            return 0
    if not depth:
        return 0
    found = 0
    if "filter" in members:
        found = min(limits.INSTANCES_PER_SELECTION_MAX, variables.size.instances)
    for each in members.values():
        if type(each) not in _LEAVES:
            found = max(found, _named_in(each, variables, depth - 1))
    return found
