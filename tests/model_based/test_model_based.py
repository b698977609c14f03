"""The tested code has the same results and the same state as a plain model of docs/rules.md after the same steps.

`make soak` runs longer, with other seeds.
"""

from renewals.domain import errors
from tests.model_based import entry_points, runner, stage

UNTRIED = {
    errors.RefusalCode.INSUFFICIENT_FUNDS,
    errors.RefusalCode.PRICE_HELD,
    errors.RefusalCode.TOO_MANY_TAGS,
}
"""The codes that the machine does not produce: refusals of a whole order, of prices and of tags."""
TRIED = {
    *(f"code {code}" for code in errors.RefusalCode if code not in UNTRIED),
    *(
        f"{wish}: {end}"
        for wish in ("renew", "date", "day")
        for end in ("done", "NotRenewable", "InvalidInput")
    ),
    *(f"renew: {end}" for end in ("PriceChanged", "InsufficientFunds", "IdempotencyKeyReused")),
    *(f"refund: {end}" for end in ("done", "NotRefundable", "IdempotencyKeyReused", "NotFound")),
    *(f"code {code}" for code in entry_points.WHY.values()),
    *("tried by a run: renewed", "tried by a run: INSUFFICIENT_FUNDS", "tried by a run: BUNDLED"),
}
"""The results that a useful random walk reaches, except at most MISSED_MAX. A soak reaches all of them."""
MISSED_MAX = 7


def test_the_database_always_equals_the_model() -> None:
    stage.TALLY.clear()
    runner.drive(seed=1, examples=36)
    assert stage.TALLY["steps"] >= 1_000
    missed = TRIED - stage.TALLY.keys()
    assert len(missed) <= MISSED_MAX, missed
