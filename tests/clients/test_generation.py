"""What is generated in `clients/` is that of the operations and the schema."""

import pytest

from scripts import clients


def test_the_operations_and_the_python_client_are_current() -> None:
    assert clients.problems() == []


def test_no_money_is_spent_by_a_default() -> None:
    text = clients.OPERATIONS.read_text(encoding="utf-8")
    assert "mutation Renew($input: RenewInstancesInput!)" in text
    assert "idempotencyKey" not in text
    assert "$first: Int = 10" in text


def test_only_what_the_operations_use_makes_the_python_client_stale() -> None:
    used = clients.used_schema(clients.OPERATIONS.read_text(encoding="utf-8"))
    assert "input RenewInstancesInput" in used
    assert "enum RefusalCode" in used
    assert "union RenewInstancesResult" in used
    assert "Instance.expiresOn: Date" in used
    assert "AdvanceTestClockInput" not in used


@pytest.mark.parametrize("name", ["Instance", "Quote"])
def test_output_types_are_not_used_whole(name: str) -> None:
    assert f"type {name} " not in clients.used_schema(clients.OPERATIONS.read_text(encoding="utf-8"))
