"""The bounds of a request for a renewal policy (rules 8 and 26), without a database."""

import pytest

from renewals.domain import errors, limits
from renewals.domain.model import RenewalMode
from renewals.instances import policy
from renewals.instances import selection as instances_selection

SELECTION = instances_selection.ById(("i-1",))


@pytest.mark.parametrize("months", [-1, 0, 37])
def test_auto_renew_months_are_1_to_36(months: int) -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        policy.check_request(policy.PolicyRequest(SELECTION, RenewalMode.AUTO, auto_renew_months=months))
    assert str(caught.value) == f"input.autoRenewMonths: must be between 1 and 36, not {months}"
    policy.check_request(policy.PolicyRequest(SELECTION, RenewalMode.AUTO, auto_renew_months=1))
    policy.check_request(policy.PolicyRequest(SELECTION, RenewalMode.AUTO, auto_renew_months=36))


def test_a_selection_has_1_to_10_000_instances() -> None:
    assert limits.INSTANCES_PER_SELECTION_MAX == 10_000
    ids = tuple(f"i-{number}" for number in range(10_001))
    policy.check_request(
        policy.PolicyRequest(instances_selection.ById((*ids[:10_000], "i-0")), RenewalMode.AUTO)
    )
    for refused in ((), ids):
        with pytest.raises(errors.InvalidInputError, match=r"input\.selection\.ids"):
            policy.check_request(policy.PolicyRequest(instances_selection.ById(refused), RenewalMode.AUTO))
