"""Check the invariants of `renewals.integrity` on a test's own database.

await integrity.assert_holds()
"""

from renewals import integrity


async def assert_holds() -> None:
    """Check every invariant of the open database, and that there are invariants."""
    violations = await integrity.check_invariants()
    assert violations == {rule: [] for rule in integrity.RULES}
    assert violations
