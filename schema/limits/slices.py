"""Slices of lists: fields with long lists take `first` and `offset`; a slice is at most as long as a page (rule 26)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, TypeVar

import strawberry
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
)

from renewals.domain import errors, limits, validation
from renewals.domain.messages import Message

Item = TypeVar("Item")

FIRST = "first"
OFFSET = "offset"

First = Annotated[int, strawberry.argument(description=f"Number of rows: 0 to {limits.PAGE_ROWS_MAX:,}.")]
Offset = Annotated[int, strawberry.argument(description="Number of rows to skip.")]


class Slice(NamedTuple):
    """At most `first` rows of a list, after `offset` skipped rows."""

    first: int = limits.SLICE_ROWS_DEFAULT
    offset: int = 0

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the slice of a list in memory."""
        return items[self.offset : self.offset + self.first]


def checked(first: int, offset: int) -> Slice:
    """Return a slice; raise InvalidInputError if an argument is out of bounds."""
    check_first(first)
    if offset < 0:
        raise errors.InvalidInputError(OFFSET, validation.at_least_zero(offset))
    return Slice(first, offset)


def check_first(first: int) -> None:
    """Raise InvalidInputError if a number of rows is out of bounds."""
    if not 0 <= first <= limits.PAGE_ROWS_MAX:
        raise errors.InvalidInputError(FIRST, validation.between(first, 0, limits.PAGE_ROWS_MAX))


class Bounds:
    """The slice arguments of a field in a document: numbers, or names of variables."""

    def __init__(self, node: FieldNode) -> None:
        self._values: dict[str, int | str] = {}
        for argument in node.arguments or ():
            match argument.value:
                case VariableNode() as variable:
                    self._values[argument.name.value] = variable.name.value
                case IntValueNode(value=digits):
                    self._values[argument.name.value] = int(digits)

    def slice(self, variables: Mapping[str, object]) -> Slice:
        """Return the slice for these variables; raise InvalidInputError if it is out of bounds."""
        default = Slice()
        return checked(
            self._value(FIRST, default.first, variables), self._value(OFFSET, default.offset, variables)
        )

    def _value(self, name: str, default: int, variables: Mapping[str, object]) -> int:
        value: object = self._values.get(name, default)
        if isinstance(value, str):
            value = variables.get(value, default)
        if type(value) is not int:
            raise errors.InvalidInputError(name, Message("must be an integer"))
        return value


def check_below(info: GraphQLResolveInfo[object]) -> None:
    """Raise InvalidInputError if a slice that is selected below a field is out of bounds.

    Mutations check this before the change, because nothing may be refused after it.
    """
    spread_names: set[str] = set()
    variables: Mapping[str, object] = info.variable_values  # type: ignore[assignment]

    def check(selection_set: SelectionSetNode | None) -> None:
        for node in selection_set.selections if selection_set else ():
            match node:
                case FieldNode():
                    names = {argument.name.value for argument in node.arguments or ()}
                    if not names.isdisjoint((FIRST, OFFSET)):
                        Bounds(node).slice(variables)
                    check(node.selection_set)
                case InlineFragmentNode():
                    check(node.selection_set)
                case FragmentSpreadNode() if (name := node.name.value) not in spread_names:
                    spread_names.add(name)
                    check(info.fragments[name].selection_set)

    for node in info.field_nodes:
        check(node.selection_set)
