"""Check the invariants of `renewals.integrity` on a test's own database.

await integrity.assert_holds()
"""

from renewals import integrity


async def assert_holds() -> None:
    """Check that the open database violates no invariant, and that at least one invariant was checked."""
    violations = await integrity.check_invariants()
    assert violations == {rule: [] for rule in integrity.RULES}
    assert violations
