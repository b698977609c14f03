"""The generated files in `clients/` match the operations and the schema."""

from pathlib import Path

import graphql
import pytest

from scripts import clients


def test_the_operations_are_valid_and_the_python_client_is_current() -> None:
    assert clients.problems() == []


def variables(kind: graphql.OperationType) -> list[graphql.VariableDefinitionNode]:
    """Return the variables of all operations of a kind."""
    document = graphql.parse(clients.OPERATIONS.read_text(encoding="utf-8"))
    return [
        variable
        for operation in document.definitions
        if isinstance(operation, graphql.OperationDefinitionNode) and operation.operation is kind
        for variable in operation.variable_definitions or ()
    ]


def test_every_variable_of_a_mutation_is_required_and_has_no_default() -> None:
    inputs = variables(graphql.OperationType.MUTATION)
    assert len(inputs) == 3
    assert all(isinstance(variable.type, graphql.NonNullTypeNode) for variable in inputs)
    assert [variable for variable in inputs if variable.default_value] == []


def test_no_filter_of_a_query_has_a_default() -> None:
    queries = variables(graphql.OperationType.QUERY)
    filters = [variable for variable in queries if variable.variable.name.value == "filter"]
    assert len(filters) == 4
    assert not [variable for variable in filters if variable.default_value]
    assert not [variable for variable in filters if isinstance(variable.type, graphql.NonNullTypeNode)]
    assert [variable for variable in queries if variable.default_value]


def test_an_operation_that_does_not_fit_the_schema_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "clients/operations.graphql"
    document.parent.mkdir()
    document.write_text("query { instances(first: 1, later: true) { totalCount } }")
    (tmp_path / "schema.graphql").write_text((clients.ROOT / "schema.graphql").read_text())
    monkeypatch.setattr(clients, "ROOT", tmp_path)
    monkeypatch.setattr(clients, "OPERATIONS", document)
    [problem] = clients.problems()
    assert problem.startswith("clients/operations.graphql: Unknown argument 'later'")


def test_a_changed_lock_of_the_generator_has_its_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clients.environment()
    lock = tmp_path / "codegen-requirements.txt"
    lock.write_text("")
    monkeypatch.setattr(clients, "LOCK", lock)
    assert clients.environment() != folder


def test_the_used_schema_has_only_the_types_and_fields_of_the_operations() -> None:
    used = clients.used_schema(clients.OPERATIONS.read_text(encoding="utf-8"))
    assert "input RenewInstancesInput" in used
    assert "enum RefusalCode" in used
    assert "union RenewInstancesResult" in used
    assert "Instance.expiresOn: Date" in used
    assert "Query.instances(filter: InstanceFilter)" in used
    assert "AdvanceTestClockInput" not in used


@pytest.mark.parametrize("name", ["Instance", "Quote"])
def test_the_used_schema_has_no_complete_output_type(name: str) -> None:
    assert f"type {name} " not in clients.used_schema(clients.OPERATIONS.read_text(encoding="utf-8"))
