"""The forecast of an account's automatic renewals."""

import datetime as dt
from typing import Annotated, cast

import strawberry

from renewals.db import connection as database
from renewals.domain import limits
from renewals.domain.model import Language
from renewals.forecasts import forecast, groups, simulation
from renewals.i18n import catalogs, labels
from schema.context import Info
from schema.customer import instances
from schema.fields import sources
from schema.shared import scalars


@strawberry.type(description="The automatic renewals of one day.")
class ForecastDay:
    date: dt.date = strawberry.field(description="The day, in the account's time zone.")
    due_count: int = strawberry.field(description="Number of instances that are due on the day.")
    total: scalars.Money = sources.column(
        "total_cents",
        description=(
            "Price of all renewals of the day, whether or not the money covers them. Refused instances are not "
            "included."
        ),
    )
    voucher_total: scalars.Money = sources.column(
        "voucher_cents", description="Amount that vouchers will pay on the day."
    )
    balance_total: scalars.Money = sources.column(
        "balance_cents", description="Amount that the balance will pay on the day."
    )
    balance_after: scalars.Money = sources.column(
        "balance_after_cents", description="The balance at the end of the day, without top-ups."
    )
    shortfall: scalars.Money = sources.column(
        "shortfall_cents",
        description=(
            "Amount that the account lacks, before the run of the day, to pay for all renewals of the day. 0.00 if "
            "nothing is missing."
        ),
    )
    at_risk: list[instances.Instance] = sources.sliced(
        "at_risk_ids",
        loader=lambda load: load.instance,
        description=(
            "Instances that are due on the day but will not be renewed, for lack of money or for another reason."
        ),
    )
    at_risk_count: int = sources.counted("at_risk_ids", description="Number of instances at risk.")


@strawberry.type(
    description="The automatic renewals of instances with the same product, data center or tag value."
)
class ForecastGroup:
    value: str = strawberry.field(
        description=(
            "The code of the product or data center, or the value of the tag. Empty for instances without the tag."
        )
    )
    label: str = strawberry.field(description="The value's name in the caller's language.")
    due_count: int = strawberry.field(
        description="Number of renewals that are due. An instance counts once for each day on which it is due."
    )
    total: scalars.Money = sources.column(
        "total_cents",
        description=(
            "Price of all renewals of the group, whether or not the money covers them. Refused instances are not "
            "included."
        ),
    )
    total_cents: strawberry.Private[int]


async def _read_groups(
    simulated: strawberry.Parent[simulation.Forecast],
    info: Info,
    by: Annotated[
        groups.ForecastGrouping,
        strawberry.argument(description="The property by which renewals are grouped."),
    ],
    tag_key: Annotated[
        str | None,
        strawberry.argument(description="The key of the tag. Required for TAG, ignored otherwise."),
    ] = None,
) -> list[ForecastGroup]:
    """Return the groups of a forecast.

    Raises InvalidInputError if there are too many groups, or if `by` is TAG and `tag_key` is not valid.
    """
    found = await groups.group_forecast(database.pool(), info.context.account_id, simulated, by, tag_key)
    return [
        ForecastGroup(
            value=group.value,
            label=_label_of(group, info.context.language),
            due_count=group.due_count,
            total_cents=group.total_cents,
        )
        for group in found
    ]


def _label_of(group: groups.ForecastGroup, language: Language) -> str:
    name = group.name_zh if language is Language.ZH else group.name
    return name or catalogs.translate(labels.NOT_SET, language)


@strawberry.type(
    description="A simulation of the automatic renewals of the coming days, without further top-ups."
)
class Forecast:
    days: list[ForecastDay] = strawberry.field(description="One entry for each day, today first.")
    total: scalars.Money = sources.column(
        "total_cents",
        description=(
            "Price of all renewals of these days, whether or not the money covers them. Refused instances are not "
            "included, nor are the later renewals of an instance at risk."
        ),
    )
    top_up_needed: scalars.Money = sources.column(
        "required_top_up_cents",
        description=(
            "The smallest top-up today that would pay for every renewal of these days, including later renewals of "
            "instances that are at risk without it. 0.00 if none is needed."
        ),
    )
    first_shortfall_on: dt.date | None = strawberry.field(
        description="The first day with a shortfall, in the account's time zone. Null if there is none."
    )
    groups: list[ForecastGroup] = strawberry.field(
        resolver=_read_groups,
        description=(
            "All renewals of the forecast, grouped by one property, the largest total first. The totals add up to the "
            f"forecast's total. More than {groups.GROUPS_MAX:,} groups are refused."
        ),
    )


async def resolve_forecast(
    info: Info,
    days: Annotated[
        int,
        strawberry.argument(description=f"Number of days, today included: 1 to {limits.FORECAST_DAYS_MAX}."),
    ] = 30,
) -> Forecast:
    """Return the forecast of `days` days, today included; raise InvalidInputError if `days` is out of bounds."""
    return cast("Forecast", await forecast.read_forecast(info.context.account_id, days, info.context.now))
