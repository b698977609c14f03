"""Asserts on a test's own database what `renewals.integrity` says of every database.

await integrity.assert_holds()
"""

from renewals import integrity


async def assert_holds() -> None:
    """Asserts every rule on the open database, and that there were rules to assert."""
    found = await integrity.check_invariants()
    assert found == {rule: [] for rule in integrity.RULES}
    assert found
