"""The actions that an instance allows now."""

import strawberry

from renewals.domain import instance_actions, limits
from schema.customer import refusals


@strawberry.type(description="Whether an operation would accept an instance now. Money is not considered.")
class InstanceAction:
    action: instance_actions.InstanceActionKind = strawberry.field(description="The action.")
    allowed: bool = strawberry.field(
        description=(
            "Whether the operation accepts the instance alone or, for a member of a bundle, the whole bundle. If the "
            "selection has other instances as well, send `bundles: WHOLE`, because `bundles: REFUSE` refuses the "
            "member as BUNDLED."
        )
    )
    refusal: refusals.InstanceRefusal | None = strawberry.field(
        description=(
            "Why the operation would refuse the instance: BUNDLED if another member of its bundle is the reason. Null "
            "if the action is allowed."
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
            f"For an allowed RENEW, the maximum number of months: at most {limits.MONTHS_MAX}, with a new expiry "
            "within the product's longest term from now. Null otherwise."
        )
    )
