"""What a client selected below a field, so that a resolver reads that and no more."""

import functools
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

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

_KNOWN_MAX = 1_000


class Selected:
    """The fields selected, by name (of all aliases together), each with what is selected below it."""

    def __init__(self, fields: Mapping[str, "Selected"] | None = None) -> None:
        self.fields: dict[str, Selected] = dict(fields or {})

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def below(self, name: str) -> "Selected":
        """What is selected below a field; nothing, where the field is not."""
        return self.fields.get(name, NOTHING)


NOTHING = Selected()


@functools.lru_cache(_KNOWN_MAX)
def merged(one: Selected, other: Selected) -> Selected:
    """What is selected here or there."""
    names = {**one.fields, **other.fields}
    return (
        Selected({name: merged(one.below(name), other.below(name)) for name in names}) if names else NOTHING
    )


_known: OrderedDict[int, tuple[FieldNode, Selected]] = OrderedDict()
"""By the identity of a field's node, which is kept with what is selected below it."""


def selected(info: strawberry.Info[Any, None]) -> Selected:
    """What is selected below the field that is being resolved."""
    raw = info._raw_info
    node = raw.field_nodes[0]
    known = lru_cache.find(_known, id(node)) if len(raw.field_nodes) == 1 else None
    if known is not None:
        return known[1]
    collecting = _Collecting(raw)
    for each in raw.field_nodes:
        collecting.add(each.selection_set.selections if each.selection_set else (), collecting.found)
    if len(raw.field_nodes) == 1 and not collecting.varies:
        lru_cache.keep(_known, id(node), (node, collecting.found), most=_KNOWN_MAX)
    return collecting.found


class _Collecting:
    def __init__(self, raw: GraphQLResolveInfo[Context]) -> None:
        self.fragments = raw.fragments
        self.variables: Mapping[str, Any] = raw.variable_values  # type: ignore[assignment]
        self.found = Selected()
        self.varies = False
        self._spread: set[tuple[str, int]] = set()
        """Which fragments are in which selections already: those spread twice would double with each level."""

    def add(self, nodes: Sequence[SelectionNode], found: Selected) -> None:
        for node in nodes:
            if not self._is_included(node):
                continue
            match node:
                case FieldNode():
                    below = found.fields.setdefault(node.name.value, Selected())
                    if node.selection_set:
                        self.add(node.selection_set.selections, below)
                case InlineFragmentNode():
                    self.add(node.selection_set.selections, found)
                case FragmentSpreadNode() if (spread := (node.name.value, id(found))) not in self._spread:
                    self._spread.add(spread)
                    self.add(self.fragments[node.name.value].selection_set.selections, found)

    def _is_included(self, node: SelectionNode) -> bool:
        """Whether @skip and @include leave the node; one that nobody can tell of is included."""
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                self.varies = True
                value = directive.arguments[0].value if directive.arguments else None
                if isinstance(value, VariableNode):
                    is_true = self.variables.get(value.name.value)
                else:
                    is_true = getattr(value, "value", None)
                if is_true is (directive.name.value == "skip"):
                    return False
        return True
