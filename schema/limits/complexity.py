"""The size of each operation of a document, measured in one pass. `document_limits` limits this size.

Nested fragments let a short document have a huge result, so each fragment is measured once and never expanded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

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
from schema.limits import field_work, list_sizes

TOTALS_MAX = 100
"""Maximum number of cached totals of an operation."""


class DefinitionsError(Exception):
    """A document with two operations or fragments of one name or of none, or with another kind of definition."""


class FragmentCycleError(Exception):
    """A fragment that spreads itself, directly or through other fragments."""


@dataclass(slots=True, frozen=True)
class Operation:
    """The measure of an operation, and its cost as a function of the variables and the size of the account."""

    kind: OperationType
    measure: "Measure"
    cost: limits_cost.Cost
    defaults: Mapping[str, object]
    _totals: dict[AccountSize | None, limits_cost.Total] = field(default_factory=dict, compare=False)
    """Totals for requests without variables, by account size. Computing one takes 30 us, 5 % of the time of a page."""

    def total(self, variables: Mapping[str, object], size: AccountSize | None = None) -> limits_cost.Total:
        """Return the cost; raise SizeNeededError if it depends on the size of the account and `size` is None."""
        if variables:
            return self.cost.total(list_sizes.Variables(variables, self.defaults, size))
        total = self._totals.get(size)
        if total is None:
            total = self.cost.total(list_sizes.Variables(variables, self.defaults, size))
            if len(self._totals) >= TOTALS_MAX:
                self._totals.clear()
            self._totals[size] = total
        return total


class Measured(NamedTuple):
    """The operations of a document by name, and all its fragments. Validation processes unused fragments as well."""

    operations: Mapping[str | None, Operation]
    fragments: Sequence["Measure"]


def measure(schema: GraphQLSchema, document: DocumentNode) -> Measured:
    """Return the measures of a document. Fields that the schema lacks are left to validation.

    Raises DefinitionsError, FragmentCycleError, or RecursionError for very deep nesting.
    """
    definitions = document.definitions
    fragments = {
        definition.name.value: definition
        for definition in definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    operations = {
        definition.name.value if definition.name else None: definition
        for definition in definitions
        if isinstance(definition, OperationDefinitionNode)
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
    """The size of a selection set, including its fragments."""

    depth: int = 0
    nesting: int = 0
    width: int = 0
    pages: int = 0
    """`width` is the number of fields of the set itself; `pages` is how many of them are in `field_work.PAGES`."""
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    directives_in_one_place: int = 0
    """The largest number of directives on one field, fragment or operation."""
    duplicate_pairs: int = 0
    """The number of pairs of fields with the same response name, and of pairs below. Validation compares each pair."""
    is_introspection: bool = False
    names: dict[str, tuple[int, int]] = field(default_factory=dict)
    """For each response name, the number of its selections and the largest number of fields below one selection."""
    cost: limits_cost.Parts = field(default_factory=limits_cost.Parts)

    def contain(self, below: "Measure") -> None:
        """Add the size of the selection below a field or in a fragment of this set."""
        self.nesting = max(self.nesting, below.nesting + 1)
        self.fields += below.fields
        self.aliases += below.aliases
        self.directives += below.directives
        self.directives_in_one_place = max(self.directives_in_one_place, below.directives_in_one_place)
        self.duplicate_pairs += below.duplicate_pairs
        self.is_introspection = self.is_introspection or below.is_introspection

    def add_directives(self, directives: Collection[DirectiveNode] | None) -> None:
        """Add the directives of one place."""
        if directives:
            self.directives += len(directives)
            self.directives_in_one_place = max(self.directives_in_one_place, len(directives))

    def add_name(self, key: str, times: int, fields: int) -> None:
        """Add a response name. Validation compares each pair of fields with the same name, and the fields below."""
        known_times, known_fields = self.names.get(key, (0, 0))
        self.duplicate_pairs += known_times * times * (1 + min(fields, known_fields))
        self.names[key] = (known_times + times, max(fields, known_fields))

    def include(self, fragment: "Measure") -> None:
        """Add the size of a fragment that is spread in this set."""
        self.contain(fragment)
        self.depth = max(self.depth, fragment.depth)
        self.width += fragment.width
        self.pages += fragment.pages
        for key, (times, fields) in fragment.names.items():
            self.add_name(key, times, fields)
        self.cost.include(fragment.cost)


_EMPTY: Final = Measure()


class _Measurer:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._measured: dict[str, Measure | None] = {}
        self._lengths = limits_cost.known_lengths(schema)

    def measure(self, node: OperationDefinitionNode) -> Operation:
        """Return the measure and the cost of an operation."""
        measure = self._set(node.selection_set, self._schema.get_root_type(node.operation))
        measure.add_directives(node.directives)
        defaults = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in node.variable_definitions or ()
            if definition.default_value
        }
        return Operation(node.operation, measure, measure.cost.whole(), defaults)

    def _set(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Measure:
        measure = Measure()
        spread_names: set[str] = set()
        for selection in node.selections:
            measure.add_directives(selection.directives)
            match selection:
                case FieldNode():
                    self._add(measure, selection, parent)
                case FragmentSpreadNode() if (name := selection.name.value) not in spread_names:
                    spread_names.add(name)
                    measure.include(self.fragment(name))
                case InlineFragmentNode():
                    condition = selection.type_condition
                    target = self._schema.get_type(condition.name.value) if condition else parent
                    measure.include(self._set(selection.selection_set, target))
        return measure

    def fragment(self, name: str) -> Measure:
        """Return the measure of a fragment, empty if it is unknown. Raises FragmentCycleError if it spreads itself."""
        if name not in self._measured:
            definition = self._fragments.get(name)
            if definition is None:
                return _EMPTY
            self._measured[name] = None  # marks a fragment that is being measured
            target = self._schema.get_type(definition.type_condition.name.value)
            measure = self._set(definition.selection_set, target)
            measure.add_directives(definition.directives)
            self._measured[name] = measure
        result = self._measured[name]
        if result is None:
            raise FragmentCycleError(name)
        return result

    def _add(self, measure: Measure, node: FieldNode, parent: GraphQLNamedType | None) -> None:
        name = node.name.value
        field = _find_field(parent, name)
        key = node.alias.value if node.alias else name
        below = _EMPTY
        if node.selection_set:
            below = self._set(node.selection_set, get_named_type(field.type) if field else None)
        measure.contain(below)
        measure.depth = max(measure.depth, below.depth + 1)
        argument_nestings = (_nesting(argument.value) for argument in node.arguments or ())
        measure.nesting = max(measure.nesting, *argument_nestings, 0)
        measure.width += 1
        measure.fields += 1
        measure.aliases += key != name
        measure.is_introspection |= name in _INTROSPECTION or name == "_service"  # a subgraph's schema
        measure.add_name(key, 1, below.fields)
        if parent is not None and field is not None:
            measure.cost.add_field(node, parent, field, below.cost, self._lengths)
            measure.pages += (parent.name, name) in field_work.PAGES


_INTROSPECTION = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


def _find_field(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if name in _INTROSPECTION:
        return _INTROSPECTION[name]
    return parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None


def _nesting(value: ValueNode) -> int:
    match value:
        case ListValueNode():
            return 1 + max(map(_nesting, value.values), default=0)
        case ObjectValueNode():
            return 1 + max((_nesting(member.value) for member in value.fields), default=0)
    return 0
