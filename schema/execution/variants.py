"""The compiled selections of operations.

Those of the latest operations are cached, unless their document is too long. An operation whose document has @skip or
@include has one variant for each combination of the values of the variables in these directives.
"""

from collections import OrderedDict

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet

from renewals.concurrency import lru_cache
from schema.execution import columns, root_field
from schema.execution.completion import Completion
from schema.limits import document_cache

VARIANTS_MAX = 64
"""Maximum number of compiled variants of one operation. Further combinations are left to graphql-core."""


class Variant:
    """The selections of an operation for one combination of the values of its @skip and @include variables."""

    def __init__(self) -> None:
        self.root: GroupedFieldSet | None = None
        self.root_field: root_field.RootField | None = None
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self.lists: dict[tuple[GraphQLOutputType, int], tuple[FieldDetailsList, Completion | None]] = {}
        self.objects: dict[int, Split] = {}


class Split:
    """The fields of one object, split into compiled fields and fields for graphql-core."""

    def __init__(
        self, fields: GroupedFieldSet, selection: columns.PlainSelection | None, others: GroupedFieldSet
    ) -> None:
        self.fields = fields  # a reference, so that `id(fields)`, the key of this split, stays unique
        self.selection = selection
        self.others = others


class Compiled:
    """The variants of one operation."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        directives = _Directives()
        visit(document, directives)
        self.operation = operation  # a reference, so that `id(operation)`, a part of the key, stays unique
        self._names = tuple(sorted(directives.variables))
        self._variants: dict[tuple[bool | None, ...], Variant] | None = (
            None if directives.is_unsupported else {}
        )

    def variant(self, values: dict[str, object]) -> Variant | None:
        """Return the variant for these variables; None if there are VARIANTS_MAX others, or for unsupported syntax."""
        if self._variants is None:
            return None
        conditions = (values.get(name) for name in self._names)
        key = tuple(value if isinstance(value, bool) else None for value in conditions)
        variant = self._variants.get(key)
        if variant is None and len(self._variants) < VARIANTS_MAX:
            variant = self._variants[key] = Variant()
        return variant


class _Directives(Visitor):
    """A visitor that collects the variables of @skip and @include, and detects syntax that is not supported."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.is_unsupported = False

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in ("skip", "include"):
            values = [argument.value for argument in node.arguments or ()]
            self.variables.update(value.name.value for value in values if isinstance(value, VariableNode))
        else:
            self.is_unsupported = True

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        self.is_unsupported = self.is_unsupported or bool(node.variable_definitions)


_compiled: OrderedDict[tuple[GraphQLSchema, type, int], Compiled] = OrderedDict()


def compiled(
    executor: type, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Compiled:
    """Return the compiled variants of an operation for one class of executors, from an LRU cache if possible."""
    key = (schema, executor, id(operation))
    result = lru_cache.find(_compiled, key)
    if result is None:
        result = Compiled(document, operation)
        if document.loc and document.loc.end <= document_cache.CHARACTERS_KEPT_MAX:
            lru_cache.keep(_compiled, key, result, size_max=document_cache.DOCUMENTS_MAX)
    return result
