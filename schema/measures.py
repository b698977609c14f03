"""How large an operation is, found in one pass over its document: each fragment is measured once, however often spread.

Whoever spreads fragments in fragments writes a short document for a huge answer, so nothing here expands them.
A cost hangs on the variables, too: it is kept as sums and products, and worked out for each request.
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
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from schema import lengths
from schema.lengths import LIST_LENGTH


class DefinitionsError(Exception):
    """Two definitions have one name, or one is neither an operation nor a fragment."""


class FragmentCycleError(Exception):
    """A fragment spreads itself."""


@dataclass(slots=True, frozen=True)
class Operation:
    """What is limited of an operation, and its cost, which hangs on the variables."""

    kind: OperationType
    depth: int
    nesting: int
    root_fields: int
    aliases: int
    directives: int
    crowd: int
    repeats: int
    is_introspection: bool
    sum: "Cost"
    defaults: Mapping[str, Any]

    def cost(self, variables: Mapping[str, Any]) -> int:
        """The greatest number of fields that the answer may have, and of things that its input names."""
        return self.sum.total(lengths.Variables(variables, self.defaults))


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
class Measure:
    """A selection set with what its fragments add.

    Its cost is in three parts: what is selected once; one item of each list that is right here, and of each that is
    in an object below: how long they are, an argument above may say.
    """

    depth: int = 0
    nesting: int = 0
    width: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    crowd: int = 0
    """The directives that stand in one place."""
    repeats: int = 0
    is_introspection: bool = False
    names: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How often each is selected, with the number of fields below it."""
    once: Cost = field(default_factory=Cost)
    near: Cost = field(default_factory=Cost)
    far: Cost = field(default_factory=Cost)

    def contain(self, below: "Measure") -> None:
        """Counts what a field or a fragment of this set selects."""
        self.nesting = max(self.nesting, below.nesting + 1)
        self.fields += below.fields
        self.aliases += below.aliases
        self.directives += below.directives
        self.crowd = max(self.crowd, below.crowd)
        self.repeats += below.repeats
        self.is_introspection = self.is_introspection or below.is_introspection

    def direct(self, directives: Collection[DirectiveNode] | None) -> None:
        """Counts the directives of one place."""
        if directives:
            self.directives += len(directives)
            self.crowd = max(self.crowd, len(directives))

    def name(self, key: str, times: int, fields: int) -> None:
        """Notes a field of the answer; validation compares each two of one name, with all that is below."""
        known_times, known_fields = self.names.get(key, (0, 0))
        self.repeats += known_times * times * (1 + min(fields, known_fields))
        self.names[key] = (known_times + times, max(fields, known_fields))

    def include(self, fragment: "Measure") -> None:
        """Adds what a fragment selects of the same object."""
        self.contain(fragment)
        self.depth = max(self.depth, fragment.depth)
        self.width += fragment.width
        for key, (times, fields) in fragment.names.items():
            self.name(key, times, fields)
        for mine, other in (
            (self.once, fragment.once),
            (self.near, fragment.near),
            (self.far, fragment.far),
        ):
            mine.add(1, other)


_NOTHING: Final = Measure()


class _Measurer:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._known: dict[str, Measure | None] = {}
        self._lengths = {**_INTROSPECTION_LENGTHS, ("__Schema", "types"): len(schema.type_map)}

    def measure(self, node: OperationDefinitionNode) -> Operation:
        whole = self._set(node.selection_set, self._schema.get_root_type(node.operation))
        whole.once.add(LIST_LENGTH, whole.near)
        whole.once.add(LIST_LENGTH, whole.far)
        defaults = {
            each.variable.name.value: value_from_ast_untyped(each.default_value)
            for each in node.variable_definitions or ()
            if each.default_value
        }
        whole.direct(node.directives)
        return Operation(
            node.operation,
            whole.depth,
            whole.nesting,
            whole.width,
            whole.aliases,
            whole.directives,
            whole.crowd,
            whole.repeats,
            whole.is_introspection,
            whole.once,
            defaults,
        )

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
            length = self._lengths.get((parent.name, name))
            bound = (
                lengths.bound(node, selected) if length is None else lengths.Bound(length, reaches_far=False)
            )
            one = Cost(1 + _BASE.get((parent.name, name), 0))
            if named := lengths.named(node, selected):
                one.add(named, Cost(1))
            _add_cost(found, selected, one, bound, below)


def _add_cost(
    found: Measure, selected: GraphQLField, one: Cost, bound: lengths.Bound | None, below: Measure
) -> None:
    one.add(1, below.once)
    if is_list_type(get_nullable_type(selected.type)):
        one.add(LIST_LENGTH, below.near)
        one.add(LIST_LENGTH, below.far)
        if bound:
            found.once.add(bound.length, one)
        else:
            found.near.add(1, one)
        return
    if bound is None:
        found.far.add(1, below.near)
        found.far.add(1, below.far)
    else:
        one.add(bound.length, below.near)
        one.add(bound.length if bound.reaches_far else LIST_LENGTH, below.far)
    found.once.add(1, one)


_INTROSPECTION = (SchemaMetaFieldDef, TypeMetaFieldDef)
_BASE = {
    ("Query", "forecast"): 20_000,
    ("InstanceConnection", "facets"): 500,
}
"""What is worked out anew for each request, whatever is selected of it."""
_INTROSPECTION_LENGTHS = {
    ("__Field", "args"): 2,
    ("__Type", "enumValues"): 5,
    ("__Type", "inputFields"): 5,
    ("__Type", "interfaces"): 1,
    ("__Type", "possibleTypes"): 2,
}


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
