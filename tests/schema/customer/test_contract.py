"""The schema fulfills the contract with clients, `contract.graphql` beside this file."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    ConstDirectiveNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_schema,
    parse,
    print_ast,
)

from schema.customer import schema as customer_schema

CONTRACT = (Path(__file__).parent / "contract.graphql").read_text(encoding="utf-8")
COMMITTED = Path(__file__).parents[3] / "schema.graphql"

SINCE_THEN = {
    "RefusalCode.PRICE_HELD is a value",
    "RefusalCode.BEFORE_CUT_OVER is a value",
    "RefusalCode.TOO_MANY_TAGS is a value",
}
"""The values that were added to enumerations: for a price above the cap, for the cut-over, and for tags."""


def statements(text: str) -> set[str]:
    """Return the elements of a schema without their order and descriptions, one statement per line."""
    build_schema(text)
    types = [node for node in parse(text).definitions if isinstance(node, TypeDefinitionNode)]
    return {line for node in types for line in _of_type(node)}


def _of_type(node: TypeDefinitionNode) -> Iterator[str]:
    name = node.name.value
    yield f"{name} is a {node.kind}{_directives(node.directives)}"
    match node:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            yield from (f"{name} implements {print_ast(interface)}" for interface in node.interfaces or ())
            for field in node.fields or ():
                yield from _of_field(name, field)
        case InputObjectTypeDefinitionNode():
            yield from (f"{name}.{_input(field)}" for field in node.fields or ())
        case EnumTypeDefinitionNode():
            yield from (f"{name}.{value.name.value} is a value" for value in node.values or ())
        case UnionTypeDefinitionNode():
            yield from (f"{name} may be {print_ast(member)}" for member in node.types or ())


def _of_field(owner: str, field: FieldDefinitionNode) -> Iterator[str]:
    path = f"{owner}.{field.name.value}"
    yield f"{path}: {print_ast(field.type)}{_directives(field.directives)}"
    yield from (f"{path}({_input(argument)})" for argument in field.arguments or ())


def _input(node: InputValueDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value else ""
    return f"{node.name.value}: {print_ast(node.type)}{default}{_directives(node.directives)}"


def _directives(nodes: tuple[ConstDirectiveNode, ...] | None) -> str:
    return "".join(f" {print_ast(node)}" for node in nodes or ())


def subject(line: str) -> str:
    """Return the type or field of a line."""
    return re.split("[ (:]", line, maxsplit=1)[0]


def test_the_committed_schema_equals_the_served_schema() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == customer_schema.sdl()


def test_the_schema_contains_every_element_of_the_contract() -> None:
    missing = statements(CONTRACT) - statements(customer_schema.sdl())
    assert sorted(missing) == []


def test_arguments_that_were_added_to_fields_of_the_contract_are_optional() -> None:
    additions = statements(customer_schema.sdl()) - statements(CONTRACT)
    promised = {subject(line) for line in statements(CONTRACT)}
    arguments = [line for line in additions if line.endswith(")") and subject(line) in promised]
    assert sorted(line for line in arguments if line.endswith("!)")) == []


def test_enums_unions_and_interfaces_of_the_contract_gain_only_the_recorded_elements() -> None:
    contract, served = statements(CONTRACT), statements(customer_schema.sdl())
    closed = (" may be ", " is a value", " implements ")
    shared = {subject(line).split(".")[0] for line in contract}
    additions = [line for line in served - contract if any(word in line for word in closed)]
    assert {line for line in additions if subject(line).split(".")[0] in shared} == SINCE_THEN


@pytest.mark.parametrize(
    ("promised", "broken"),
    [
        ("order(id: ID!): RenewOrder\n", "order(id: ID!): RenewOrder!\n"),
        ("vouchers(usable: Boolean = true)", "vouchers(usable: Boolean = false)"),
        ("vouchers(usable: Boolean = true)", "vouchers(usable: Boolean! = true)"),
        ("input Selection @oneOf", "input Selection"),
        ("enum OrderKind { MANUAL_RENEWAL ", "enum OrderKind { "),
        ("type PriceChanged implements Error", "type PriceChanged"),
        ("SetRenewalPolicySuccess | NotRenewable", "SetRenewalPolicySuccess"),
        ("except: [ID!]! = []", "except: [ID!]!"),
        ("scalar Date\n", "enum Date { TODAY }\n"),
    ],
)
def test_the_comparison_finds_each_breaking_change_of_the_contract(promised: str, broken: str) -> None:
    assert promised in CONTRACT
    missing = statements(CONTRACT) - statements(CONTRACT.replace(promised, broken))
    assert len(missing) == 1
