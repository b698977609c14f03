"""The cost of an operation: the estimated maximum number of fields of its result, plus the work to compute them.

It is stored as sums and products, because it can depend on the variables of a request and the size of the account.
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

from schema.limits import field_work, list_sizes
from schema.limits.field_work import Place
from schema.limits.list_sizes import LIST_LENGTH

_INTROSPECTION: Mapping[Place, int] = {
    ("__Field", "args"): 2,
    ("__Type", "enumValues"): 5,
    ("__Type", "inputFields"): 5,
    ("__Type", "interfaces"): 1,
    ("__Type", "possibleTypes"): 2,
}


def known_lengths(schema: GraphQLSchema) -> Mapping[Place, int]:
    """Return the assumed lengths of some introspection lists. Only the number of types is exact."""
    return {**_INTROSPECTION, ("__Schema", "types"): len(schema.type_map)}


class Total(NamedTuple):
    """The estimated maximum number of fields of a result, and the other work, in the same unit."""

    fields: int = 0
    work: int = 0

    @property
    def cost(self) -> int:
        """The sum of `fields` and `work`."""
        return self.fields + self.work


@dataclass(slots=True)
class Cost:
    """A sum of fields, of amounts of work, and of parts. A part is another cost, multiplied by a factor."""

    fields: int = 0
    works: list[list_sizes.Length] = field(default_factory=list)
    parts: list[tuple[int | list_sizes.Length, "Cost"]] = field(default_factory=list)

    def add(self, times: int | list_sizes.Length, cost: "Cost") -> None:
        """Add a cost multiplied by `times`."""
        if isinstance(times, int) and not cost.parts and not cost.works:
            self.fields += times * cost.fields
        elif cost.parts or cost.fields or cost.works:
            self.parts.append((times, cost))

    def total(self, variables: list_sizes.Variables, totals: dict[int, Total] | None = None) -> Total:
        """Return the total for the variables of a request. `totals` holds the totals of the parts evaluated so far.

        Raises SizeNeededError if the total depends on the size of the account, which is unknown.
        """
        if not self.parts and not self.works:
            return Total(self.fields)
        if totals is None:
            totals = {}
        if (total := totals.get(id(self))) is None:
            fields, work = self.fields, sum(part_work(variables) for part_work in self.works)
            for times, cost in self.parts:
                count = times if isinstance(times, int) else times(variables)
                one = cost.total(variables, totals)
                fields, work = fields + count * one.fields, work + count * one.work
            total = totals[id(self)] = Total(fields, work)
        return total


@dataclass(slots=True)
class Parts:
    """The cost of a selection set in four parts.

    An argument of an ancestor field can set the length of a list, so the set alone does not determine every length.
    """

    once: Cost = field(default_factory=Cost)
    """The cost of the set without the items of lists whose length is not known yet."""
    near: Cost = field(default_factory=Cost)
    """The cost of one item of each list in the set itself whose length is not known yet."""
    far: Cost = field(default_factory=Cost)
    """The cost of one item of each such list that is nested in an object of the set."""
    batch: Cost = field(default_factory=Cost)
    """Work that is done once for all objects of a selection.

    Each selection counts, because two of them share the work only if their rows are read at the same time.
    """

    def include(self, fragment: "Parts") -> None:
        """Add the cost of a fragment that is spread in this set."""
        self.once.add(1, fragment.once)
        self.near.add(1, fragment.near)
        self.far.add(1, fragment.far)
        self.batch.add(1, fragment.batch)

    def whole(self) -> Cost:
        """Return the cost of an operation, with LIST_LENGTH for each list without a known bound."""
        cost = Cost()
        cost.add(1, self.once)
        cost.add(LIST_LENGTH, self.near)
        cost.add(LIST_LENGTH, self.far)
        cost.add(1, self.batch)
        return cost

    def add_field(
        self,
        node: FieldNode,
        parent: GraphQLNamedType,
        selected: GraphQLField,
        below: "Parts",
        known: Mapping[Place, int],
    ) -> None:
        """Add a field of the set with the selection below it."""
        place = (parent.name, node.name.value)
        bound: list_sizes.Bound | None
        if place in known:
            bound = list_sizes.Bound(known[place], reaches_far=False)
        else:
            bound = field_work.bound(place) or list_sizes.bound(node, selected)
        one = Cost(1)
        if work := field_work.work(place, node, selected):
            self.once.works.append(work)
        self.batch.add(1, below.batch)
        if batch := field_work.batch_work(place):
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
