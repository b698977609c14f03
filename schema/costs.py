"""What an operation costs: the greatest number of fields that its answer may have, and of things that its input names.

It hangs on the variables, so it is kept as sums and products, and worked out for each request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_nullable_type,
    is_list_type,
)

from schema import lengths
from schema.lengths import LIST_LENGTH

Place: TypeAlias = tuple[str, str]
"""The names of a type and of a field of it."""

_BASE: Mapping[Place, int] = {
    ("Query", "forecast"): 20_000,
    ("InstanceConnection", "facets"): 500,
}
"""What is worked out anew for each request, whatever is selected of it."""
_INTROSPECTION: Mapping[Place, int] = {
    ("__Field", "args"): 2,
    ("__Type", "enumValues"): 5,
    ("__Type", "inputFields"): 5,
    ("__Type", "interfaces"): 1,
    ("__Type", "possibleTypes"): 2,
}


def known_lengths(schema: GraphQLSchema) -> Mapping[Place, int]:
    """How long the lists are whose lengths hang on the schema alone."""
    return {**_INTROSPECTION, ("__Schema", "types"): len(schema.type_map)}


@dataclass(slots=True)
class Cost:
    """A constant, and other costs, each so many times."""

    constant: int = 0
    parts: list[tuple[int | lengths.Length, "Cost"]] = field(default_factory=list)

    def add(self, times: int | lengths.Length, cost: "Cost") -> None:
        if isinstance(times, int) and not cost.parts:
            self.constant += times * cost.constant
        elif cost.parts or cost.constant:
            self.parts.append((times, cost))

    def total(self, variables: lengths.Variables, known: dict[int, int] | None = None) -> int:
        if not self.parts:
            return self.constant
        if known is None:
            known = {}
        if (found := known.get(id(self))) is None:
            found = self.constant
            for times, cost in self.parts:
                found += (times if isinstance(times, int) else times(variables)) * cost.total(
                    variables, known
                )
            known[id(self)] = found
        return found


@dataclass(slots=True)
class Parts:
    """The cost of a selection set in three parts: what is selected once; one item of each list that is right here, and
    of each that is in an object below: how long they are, an argument above may say."""

    once: Cost = field(default_factory=Cost)
    near: Cost = field(default_factory=Cost)
    far: Cost = field(default_factory=Cost)

    def include(self, fragment: "Parts") -> None:
        """Adds what a fragment selects of the same object."""
        self.once.add(1, fragment.once)
        self.near.add(1, fragment.near)
        self.far.add(1, fragment.far)

    def whole(self) -> Cost:
        """The cost of an operation, above which nothing says how long a list is."""
        found = Cost()
        found.add(1, self.once)
        found.add(LIST_LENGTH, self.near)
        found.add(LIST_LENGTH, self.far)
        return found

    def add_field(
        self,
        node: FieldNode,
        parent: GraphQLNamedType,
        selected: GraphQLField,
        below: "Parts",
        known: Mapping[Place, int],
    ) -> None:
        """Adds a field of the set, with what is selected below it."""
        place = (parent.name, node.name.value)
        bound = (
            lengths.Bound(known[place], reaches_far=False)
            if place in known
            else lengths.bound(node, selected)
        )
        one = Cost(1 + _BASE.get(place, 0))
        if named := lengths.named(node, selected):
            one.add(named, Cost(1))
        one.add(1, below.once)
        if is_list_type(get_nullable_type(selected.type)):
            one.add(LIST_LENGTH, below.near)
            one.add(LIST_LENGTH, below.far)
            if bound:
                self.once.add(bound.length, one)
            else:
                self.near.add(1, one)
            return
        if bound is None:
            self.far.add(1, below.near)
            self.far.add(1, below.far)
        else:
            one.add(bound.length, below.near)
            one.add(bound.length if bound.reaches_far else LIST_LENGTH, below.far)
        self.once.add(1, one)
