"""The actions that an instance allows now."""

import strawberry

from renewals.domain import instance_actions, limits
from schema.customer import refusals


@strawberry.type(
    description=(
        "Whether an action on an instance is allowed now. It agrees with the operation, if nothing changes in between. "
        "Money is not considered."
    )
)
class InstanceAction:
    action: instance_actions.InstanceActionKind = strawberry.field(description="The action.")
    allowed: bool = strawberry.field(
        description=(
            "Whether the operation accepts the instance alone. For a member of a bundle: whether it accepts the whole "
            "bundle, with `bundles: WHOLE` or if exactly the members are sent. In a selection with other instances and "
            "`bundles: REFUSE` a member is refused as BUNDLED in any case, so a console sends WHOLE for such a "
            "selection, or ticks either one whole bundle or single instances."
        )
    )
    refusal: refusals.InstanceRefusal | None = strawberry.field(
        description=(
            "Why the operation would refuse the instance. BUNDLED if another member of its bundle is the reason. "
            "Null if it is allowed."
        )
    )
    months_min: int | None = strawberry.field(
        description=(
            "For an allowed RENEW, the minimum number of months: more than 1 if the instance expired over a month ago. "
            "Null otherwise."
        )
    )
    months_max: int | None = strawberry.field(
        description=(
            f"For an allowed RENEW, the maximum number of months: at most {limits.MONTHS_MAX}, and within the "
            "product's longest term from now. Null otherwise."
        )
    )
