"""The caller: its key or token, and the limits of the API."""

import strawberry

from renewals.domain import limits, model
from schema.context import Info
from schema.customer import accounts
from schema.shared import enums


@strawberry.type(
    description="Fixed limits of the API. A console can read them here instead of repeating them."
)
class ViewerLimits:
    instances_per_selection: int = strawberry.field(
        default=limits.INSTANCES_PER_SELECTION_MAX,
        description="Maximum number of instances that one selection can name or match.",
    )
    page_rows: int = strawberry.field(
        default=limits.PAGE_ROWS_MAX,
        description="Maximum number of rows of a page, and of a slice of a nested list.",
    )
    months: int = strawberry.field(
        default=limits.MONTHS_MAX,
        description="Maximum number of months of one renewal. A product can allow fewer.",
    )
    forecast_days: int = strawberry.field(
        default=limits.FORECAST_DAYS_MAX, description="Maximum number of days of a forecast."
    )


@strawberry.type(description="The holder of the API key or token that sent the request.")
class Viewer:
    role: enums.CustomerRole = strawberry.field(description="The permitted use of the key or token.")
    name: str = strawberry.field(
        description="The name of the API key, or the token's subject. Empty if the key has no name."
    )
    account = strawberry.field(
        resolver=accounts.resolve_account, description="The only account that the caller can read."
    )
    can_write: bool = strawberry.field(
        description="Whether the caller may execute mutations. A VIEWER is refused with FORBIDDEN."
    )
    limits: ViewerLimits = strawberry.field(description="The limits of the API.")


def resolve_viewer(info: Info) -> Viewer:
    """Return the caller of the request."""
    context = info.context
    role = model.Role.RENEWER if context.can_write else model.Role.VIEWER
    return Viewer(
        role=enums.CustomerRole(role.value),
        name=context.name,
        can_write=context.can_write,
        limits=ViewerLimits(),
    )
