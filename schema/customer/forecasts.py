"""What the coming days bring."""

import datetime as dt
from typing import Any

import strawberry

from renewals.forecasts import forecast
from schema.context import Info
from schema.customer import instances
from schema.fields import sources
from schema.shared import scalars


@strawberry.type
class ForecastDay:
    date: dt.date
    due_count: int
    total: scalars.Money = sources.column("total_cents")
    voucher_total: scalars.Money = sources.column("voucher_cents")
    balance_total: scalars.Money = sources.column("balance_cents")
    balance_after: scalars.Money = sources.column("balance_after_cents")
    shortfall: scalars.Money = sources.column(
        "shortfall_cents", description="What lacks on that morning for all that is due on the day."
    )
    at_risk: list[instances.Instance] = sources.sliced("at_risk_ids", loader=lambda load: load.instance)
    at_risk_count: int = sources.counted("at_risk_ids")


@strawberry.type(
    description=(
        "What the worker would do on each coming day with the money on hand: the same engine on a later clock."
    )
)
class Forecast:
    days: list[ForecastDay]
    total: scalars.Money = sources.column("total_cents")
    top_up_needed: scalars.Money = sources.column(
        "required_top_up_cents", description="Add this much today and nothing lapses."
    )
    first_shortfall_on: dt.date | None


async def resolve_forecast(info: Info, days: int = 30) -> Forecast:
    found: Any = await forecast.read_forecast(info.context.account_id, days, info.context.now)
    return found  # type: ignore[no-any-return]
