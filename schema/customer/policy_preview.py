"""The preview of setRenewalPolicy, which the console shows for confirmation."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Self

import strawberry

from renewals.domain import errors, model
from renewals.forecasts import policy_preview
from schema.context import Info
from schema.customer import instances, operation_inputs, refusals
from schema.fields import sources
from schema.shared import scalars

_Refusal = refusals.InstanceRefusal


@strawberry.type(description="The change of one instance's policy, if setRenewalPolicy were called now.")
class PolicyChange:
    instance_id: strawberry.Private[str]
    instance: instances.Instance = sources.loaded(
        lambda load: load.instance, "instance_id", description="The instance, as it is before the change."
    )
    from_mode: model.RenewalMode = strawberry.field(description="The mode before the change.")
    to_mode: model.RenewalMode = strawberry.field(description="The mode after the change.")
    from_months: int = strawberry.field(description="autoRenewMonths before the change.")
    to_months: int = strawberry.field(description="autoRenewMonths after the change.")
    first_charge_at: dt.datetime | None = strawberry.field(
        description=(
            "When the worker will first renew the instance, if there is enough money then. Null: nothing will be "
            "charged automatically."
        )
    )
    first_charge_price: scalars.Money | None = sources.column(
        "first_charge_cents",
        description=(
            "Price of that renewal, at the current list price and after discount. Null if nothing will be charged."
        ),
    )
    first_charge_cents: strawberry.Private[int | None]

    @classmethod
    def of(cls, change: policy_preview.PreviewedChange) -> Self:
        """Build the GraphQL object from a change of `renewals`."""
        before, after, charge = change
        return cls(
            instance_id=before.id,
            from_mode=model.RenewalMode(before.renewal_mode),
            to_mode=model.RenewalMode(after.renewal_mode),
            from_months=before.auto_renew_months,
            to_months=after.auto_renew_months,
            first_charge_at=charge.at if charge else None,
            first_charge_cents=charge.price_cents if charge else None,
        )


@strawberry.type(
    description=(
        "What setRenewalPolicy would do if it were called now with the same input. A preview changes nothing. With "
        "ALL_OR_NOTHING, if any instance is refused, changeCount and unchangedCount are 0."
    )
)
class PolicyPreview:
    planned: strawberry.Private[Sequence[policy_preview.PreviewedChange]]
    refused: strawberry.Private[Sequence[errors.Refusal]]
    changes: list[PolicyChange] = sources.sliced(
        "planned",
        make=PolicyChange.of,
        description="The instances whose mode or months would change, or whose changed price would be accepted.",
    )
    change_count: int = sources.counted("planned", description="Number of changes.")
    unchanged_count: int = strawberry.field(description="Number of instances that have the policy already.")
    refusals: list[_Refusal] = sources.sliced(
        "refused", description="The instances that the mutation would refuse, and why."
    )
    refusal_count: int = sources.counted("refused", description="Number of refusals.")


async def resolve_policy_preview(
    info: Info,
    request: Annotated[
        operation_inputs.SetRenewalPolicyInput,
        strawberry.argument(name="input", description="All arguments of setRenewalPolicy."),
    ],
) -> PolicyPreview:
    """Return what setRenewalPolicy would do, without doing it."""
    preview = await policy_preview.preview_policy(
        info.context.account_id, request.to_request(), info.context.now
    )
    return PolicyPreview(
        planned=preview.changes, refused=preview.refusals, unchanged_count=preview.unchanged_count
    )
