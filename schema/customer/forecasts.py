"""The forecast of an account's automatic renewals."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from renewals.domain import limits
from renewals.forecasts import forecast
from schema.context import Info
from schema.customer import instances
from schema.fields import sources
from schema.shared import scalars


@strawberry.type(description="The automatic renewals of one day.")
class ForecastDay:
    date: dt.date = strawberry.field(description="The day, in the account's time zone.")
    due_count: int = strawberry.field(description="Number of instances that are due on the day.")
    total: scalars.Money = sources.column(
        "total_cents", description="Price of all renewals of the day, paid or not."
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
        description="Amount missing that morning to pay all renewals of the day. 0.00 if nothing is missing.",
    )
    at_risk: list[instances.Instance] = sources.sliced(
        "at_risk_ids",
        loader=lambda load: load.instance,
        description="Instances of the day that will not be renewed, because money is short or for another reason.",
    )
    at_risk_count: int = sources.counted("at_risk_ids", description="Number of instances at risk.")


@strawberry.type(
    description=("Simulation of the automatic renewals of the coming days with the money on hand now.")
)
class Forecast:
    days: list[ForecastDay] = strawberry.field(description="One entry for each day, today first.")
    total: scalars.Money = sources.column(
        "total_cents", description="Price of all renewals of the days, paid or not."
    )
    top_up_needed: scalars.Money = sources.column(
        "required_top_up_cents",
        description="The least top-up today that pays every renewal of the days. 0.00 if none is needed.",
    )
    first_shortfall_on: dt.date | None = strawberry.field(
        description="The first day with a shortfall, in the account's time zone. Null if there is none."
    )


async def resolve_forecast(
    info: Info,
    days: Annotated[
        int,
        strawberry.argument(description=f"Number of days, today included: 1 to {limits.FORECAST_DAYS_MAX}."),
    ] = 30,
) -> Forecast:
    """Return the forecast of the coming days; raise InvalidInputError if there are too many."""
    result: Any = await forecast.read_forecast(info.context.account_id, days, info.context.now)
    return result  # type: ignore[no-any-return]
