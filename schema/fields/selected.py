"""The fields that a client selected below a field, so that a resolver reads only those."""

import functools
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import strawberry
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    VariableNode,
)

from renewals.concurrency import lru_cache
from schema.context import Context

_CACHE_MAX = 1_000


class Selected:
    """Selected fields by name, each with the fields selected below it. All aliases of a field are merged."""

    def __init__(self, fields: Mapping[str, "Selected"] | None = None) -> None:
        self.fields: dict[str, Selected] = dict(fields or {})

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def below(self, name: str) -> "Selected":
        """Return the fields selected below a field: none if the field itself is not selected."""
        return self.fields.get(name, NOTHING)


NOTHING = Selected()


@functools.lru_cache(_CACHE_MAX)
def merged(one: Selected, other: Selected) -> Selected:
    """Return the union of two selections."""
    names = {**one.fields, **other.fields}
    return (
        Selected({name: merged(one.below(name), other.below(name)) for name in names}) if names else NOTHING
    )


_cache: OrderedDict[int, tuple[FieldNode, Selected]] = OrderedDict()
"""Selections by the `id` of the field's node. The value refers to the node, so no other node can get the same `id`."""


def selected(info: strawberry.Info[object, None]) -> Selected:
    """Return the fields selected below the field that is being resolved."""
    raw = info._raw_info
    first_node = raw.field_nodes[0]
    cached = lru_cache.find(_cache, id(first_node)) if len(raw.field_nodes) == 1 else None
    if cached is not None:
        return cached[1]
    collector = _Collector(raw)
    for node in raw.field_nodes:
        collector.add(node.selection_set.selections if node.selection_set else (), collector.selection)
    if len(raw.field_nodes) == 1 and not collector.is_variable:
        lru_cache.keep(_cache, id(first_node), (first_node, collector.selection), size_max=_CACHE_MAX)
    return collector.selection


class _Collector:
    def __init__(self, raw: GraphQLResolveInfo[Context]) -> None:
        self.fragments = raw.fragments
        self.variables: Mapping[str, object] = raw.variable_values  # type: ignore[assignment]
        self.selection = Selected()
        self.is_variable = False
        """Whether the selection depends on @skip or @include."""
        self._spread: set[tuple[str, int]] = set()
        """Each fragment already added, with the `id` of the selection to which it was added.

        If a fragment were added twice, the work would double with each level of nested fragments.
        """

    def add(self, nodes: Sequence[SelectionNode], selection: Selected) -> None:
        """Add the fields of the nodes to a selection."""
        for node in nodes:
            if not self._is_included(node):
                continue
            match node:
                case FieldNode():
                    below = selection.fields.setdefault(node.name.value, Selected())
                    if node.selection_set:
                        self.add(node.selection_set.selections, below)
                case InlineFragmentNode():
                    self.add(node.selection_set.selections, selection)
                case FragmentSpreadNode() if (spread := (node.name.value, id(selection))) not in self._spread:
                    self._spread.add(spread)
                    self.add(self.fragments[node.name.value].selection_set.selections, selection)

    def _is_included(self, node: SelectionNode) -> bool:
        """Return whether @skip and @include keep the node. A node with an unknown condition is kept."""
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                self.is_variable = True
                value = directive.arguments[0].value if directive.arguments else None
                if isinstance(value, VariableNode):
                    is_true = self.variables.get(value.name.value)
                else:
                    is_true = getattr(value, "value", None)
                if is_true is (directive.name.value == "skip"):
                    return False
        return True
