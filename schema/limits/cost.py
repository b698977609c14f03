"""What an operation costs: the greatest number of fields that its answer may have, and of things that its input names.

It hangs on the variables, so it is kept as sums and products, and worked out for each request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_nullable_type,
    is_list_type,
)

from schema.limits import list_sizes
from schema.limits import work as limits_work
from schema.limits.list_sizes import LIST_LENGTH
from schema.limits.work import Place

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


class Total(NamedTuple):
    """The greatest number of fields that an answer may have, and the work beside writing them, in the same unit."""

    fields: int = 0
    work: int = 0

    @property
    def cost(self) -> int:
        return self.fields + self.work


@dataclass(slots=True)
class Cost:
    """Fields, works, and other costs, each so many times."""

    fields: int = 0
    works: list[list_sizes.Length] = field(default_factory=list)
    parts: list[tuple[int | list_sizes.Length, "Cost"]] = field(default_factory=list)

    def add(self, times: int | list_sizes.Length, cost: "Cost") -> None:
        if isinstance(times, int) and not cost.parts and not cost.works:
            self.fields += times * cost.fields
        elif cost.parts or cost.fields or cost.works:
            self.parts.append((times, cost))

    def total(self, variables: list_sizes.Variables, known: dict[int, Total] | None = None) -> Total:
        if not self.parts and not self.works:
            return Total(self.fields)
        if known is None:
            known = {}
        if (found := known.get(id(self))) is None:
            fields, work = self.fields, sum(each(variables) for each in self.works)
            for times, cost in self.parts:
                count = times if isinstance(times, int) else times(variables)
                one = cost.total(variables, known)
                fields, work = fields + count * one.fields, work + count * one.work
            found = known[id(self)] = Total(fields, work)
        return found


@dataclass(slots=True)
class Parts:
    """The cost of a selection set in four parts: what is selected once; one item of each list that is right here, and
    of each that is in an object below: how long they are, an argument above may say; and what is worked out once
    however often it is answered."""

    once: Cost = field(default_factory=Cost)
    near: Cost = field(default_factory=Cost)
    far: Cost = field(default_factory=Cost)
    batch: Cost = field(default_factory=Cost)

    def include(self, fragment: "Parts") -> None:
        """Adds what a fragment selects of the same object."""
        self.once.add(1, fragment.once)
        self.near.add(1, fragment.near)
        self.far.add(1, fragment.far)
        self.batch.add(1, fragment.batch)

    def whole(self) -> Cost:
        """The cost of an operation, above which nothing says how long a list is."""
        found = Cost()
        found.add(1, self.once)
        found.add(LIST_LENGTH, self.near)
        found.add(LIST_LENGTH, self.far)
        found.add(1, self.batch)
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
        bound: list_sizes.Bound | None
        if place in known:
            bound = list_sizes.Bound(known[place], reaches_far=False)
        else:
            bound = limits_work.bound(place) or list_sizes.bound(node, selected)
        one = Cost(1)
        if work := limits_work.work(place, node, selected):
            self.once.works.append(work)
        self.batch.add(1, below.batch)
        if batch := limits_work.batch_work(place):
            self.batch.works.append(batch)
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
