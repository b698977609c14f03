"""How large an operation is, found in one pass over its document: each fragment is measured once, however often spread.

Whoever spreads fragments in fragments writes a short document for a huge answer, so nothing here expands them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    ValueNode,
    get_named_type,
    value_from_ast_untyped,
)

from renewals.instances.account_sizes import AccountSize
from schema.limits import cost as limits_cost
from schema.limits import list_sizes

TOTALS_MAX = 100
"""Totals kept of an operation."""


class DefinitionsError(Exception):
    """Two definitions have one name, or one is neither an operation nor a fragment."""


class FragmentCycleError(Exception):
    """A fragment spreads itself."""


@dataclass(slots=True, frozen=True)
class Operation:
    """What is limited of an operation, and its cost, which depends on the variables and the size of the account."""

    kind: OperationType
    measure: "Measure"
    whole: limits_cost.Cost
    defaults: Mapping[str, Any]
    _totals: dict[AccountSize | None, limits_cost.Total] = field(default_factory=dict, compare=False)
    """Without variables, by the size of the account: adding up takes 30 us, a twentieth of a small page."""

    def total(self, variables: Mapping[str, Any], size: AccountSize | None = None) -> limits_cost.Total:
        """Return what it costs; raise list_sizes.SizeNeededError if that depends on the size of the account."""
        if variables:
            return self.whole.total(list_sizes.Variables(variables, self.defaults, size))
        total = self._totals.get(size)
        if total is None:
            total = self.whole.total(list_sizes.Variables(variables, self.defaults, size))
            if len(self._totals) >= TOTALS_MAX:
                self._totals.clear()
            self._totals[size] = total
        return total


class Measured(NamedTuple):
    """The operations of a document by their names, and its fragments, used or not: all of them are validated."""

    operations: Mapping[str | None, Operation]
    fragments: Sequence["Measure"]


def measure(schema: GraphQLSchema, document: DocumentNode) -> Measured:
    """What is in a document; what does not fit the schema is left to its validation.

    Raises DefinitionsError, FragmentCycleError, and RecursionError for what nests beyond all reason.
    """
    definitions = document.definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    operations = {
        each.name.value if each.name else None: each
        for each in definitions
        if isinstance(each, OperationDefinitionNode)
    }
    if len(fragments) + len(operations) != len(definitions):
        raise DefinitionsError
    measurer = _Measurer(schema, fragments)
    return Measured(
        {name: measurer.measure(node) for name, node in operations.items()},
        [measurer.fragment(name) for name in fragments],
    )


@dataclass(slots=True)
class Measure:
    """A selection set with what its fragments add."""

    depth: int = 0
    nesting: int = 0
    width: int = 0
    """Of an operation, how many root fields it has."""
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    directives_in_one_place: int = 0
    """The directives that stand in one place."""
    duplicate_pairs: int = 0
    is_introspection: bool = False
    names: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How often each is selected, with the number of fields below it."""
    cost: limits_cost.Parts = field(default_factory=limits_cost.Parts)

    def contain(self, below: "Measure") -> None:
        """Counts what a field or a fragment of this set selects."""
        self.nesting = max(self.nesting, below.nesting + 1)
        self.fields += below.fields
        self.aliases += below.aliases
        self.directives += below.directives
        self.directives_in_one_place = max(self.directives_in_one_place, below.directives_in_one_place)
        self.duplicate_pairs += below.duplicate_pairs
        self.is_introspection = self.is_introspection or below.is_introspection

    def direct(self, directives: Collection[DirectiveNode] | None) -> None:
        """Counts the directives of one place."""
        if directives:
            self.directives += len(directives)
            self.directives_in_one_place = max(self.directives_in_one_place, len(directives))

    def name(self, key: str, times: int, fields: int) -> None:
        """Notes a field of the answer; validation compares each two of one name, with all that is below."""
        known_times, known_fields = self.names.get(key, (0, 0))
        self.duplicate_pairs += known_times * times * (1 + min(fields, known_fields))
        self.names[key] = (known_times + times, max(fields, known_fields))

    def include(self, fragment: "Measure") -> None:
        """Adds what a fragment selects of the same object."""
        self.contain(fragment)
        self.depth = max(self.depth, fragment.depth)
        self.width += fragment.width
        for key, (times, fields) in fragment.names.items():
            self.name(key, times, fields)
        self.cost.include(fragment.cost)


_NOTHING: Final = Measure()


class _Measurer:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._known: dict[str, Measure | None] = {}
        self._lengths = limits_cost.known_lengths(schema)

    def measure(self, node: OperationDefinitionNode) -> Operation:
        found = self._set(node.selection_set, self._schema.get_root_type(node.operation))
        found.direct(node.directives)
        defaults = {
            each.variable.name.value: value_from_ast_untyped(each.default_value)
            for each in node.variable_definitions or ()
            if each.default_value
        }
        return Operation(node.operation, found, found.cost.whole(), defaults)

    def _set(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Measure:
        found = Measure()
        spread: set[str] = set()
        for selection in node.selections:
            found.direct(selection.directives)
            match selection:
                case FieldNode():
                    self._add(found, selection, parent)
                case FragmentSpreadNode() if (name := selection.name.value) not in spread:
                    spread.add(name)
                    found.include(self.fragment(name))
                case InlineFragmentNode():
                    named = selection.type_condition
                    condition = self._schema.get_type(named.name.value) if named else parent
                    found.include(self._set(selection.selection_set, condition))
        return found

    def fragment(self, name: str) -> Measure:
        if name not in self._known:
            definition = self._fragments.get(name)
            if definition is None:
                return _NOTHING
            self._known[name] = None  # under way
            condition = self._schema.get_type(definition.type_condition.name.value)
            found = self._set(definition.selection_set, condition)
            found.direct(definition.directives)
            self._known[name] = found
        known = self._known[name]
        if known is None:
            raise FragmentCycleError(name)
        return known

    def _add(self, found: Measure, node: FieldNode, parent: GraphQLNamedType | None) -> None:
        name = node.name.value
        selected = _field(parent, name)
        key = node.alias.value if node.alias else name
        below = _NOTHING
        if node.selection_set:
            below = self._set(node.selection_set, get_named_type(selected.type) if selected else None)
        found.contain(below)
        found.depth = max(found.depth, below.depth + 1)
        found.nesting = max(found.nesting, *(_nesting(each.value) for each in node.arguments or ()), 0)
        found.width += 1
        found.fields += 1
        found.aliases += key != name
        found.is_introspection = found.is_introspection or selected in _INTROSPECTION
        found.name(key, 1, below.fields)
        if parent is not None and selected is not None:
            found.cost.add_field(node, parent, selected, below.cost, self._lengths)


_INTROSPECTION = (SchemaMetaFieldDef, TypeMetaFieldDef)


def _field(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if name == "__schema":
        return SchemaMetaFieldDef
    if name == "__type":
        return TypeMetaFieldDef
    return parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None


def _nesting(value: ValueNode) -> int:
    match value:
        case ListValueNode():
            return 1 + max(map(_nesting, value.values), default=0)
        case ObjectValueNode():
            return 1 + max((_nesting(each.value) for each in value.fields), default=0)
    return 0
