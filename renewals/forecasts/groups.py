"""The renewals of a forecast by product, by data center or by the values of a tag (rule 36)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from renewals.db import connection as database
from renewals.domain import errors, tags
from renewals.domain.messages import Message
from renewals.forecasts.simulation import Forecast

GROUPS_MAX = 1_000


class ForecastGrouping(StrEnum):
    """The property by which the renewals of a forecast are grouped."""

    PRODUCT = "PRODUCT"
    DATA_CENTER = "DATA_CENTER"
    TAG = "TAG"


class ForecastGroup(NamedTuple):
    """The renewals of the instances that share a value. The names are those of the catalog; for a tag, the value."""

    value: str
    name: str
    name_zh: str
    due_count: int
    total_cents: int


_VALUES: Mapping[ForecastGrouping, str] = {
    ForecastGrouping.PRODUCT: "p.code AS value, p.name AS name, p.name_zh AS name_zh",
    ForecastGrouping.DATA_CENTER: "d.code AS value, d.name AS name, d.name AS name_zh",
    ForecastGrouping.TAG: "v.value AS value, v.value AS name, v.value AS name_zh",
}


_VALUES_TOO_MANY = Message("has more than {count:,} values among due instances; choose another key")
_GROUPS_TOO_MANY = Message(
    "divides the due instances into more than {count:,} groups; choose another grouping"
)


async def group_forecast(
    connection: database.Connection,
    account_id: str,
    forecast: Forecast,
    by: ForecastGrouping,
    tag_key: str | None,
) -> list[ForecastGroup]:
    """Return the groups of an account's forecast, the largest total first. The totals add up to the forecast's total.

    Instances without the tag have the value "". Raises InvalidInputError for more than GROUPS_MAX groups and, if `by`
    is TAG, for a missing or invalid tag key.
    """
    if by is ForecastGrouping.TAG:
        _check_key(tag_key)
    due = forecast.due_by_instance()
    rows = await database.fetch(
        connection,
        f"""SELECT {_VALUES[by]}, sum(u.due_count)::bigint AS due_count, sum(u.cents)::bigint AS total_cents
            FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u(id, due_count, cents)
            JOIN instances i ON i.id = u.id
            JOIN products p ON p.code = i.product_code
            JOIN data_centers d ON d.code = i.data_center_code
            CROSS JOIN LATERAL (SELECT coalesce(i.tags ->> $5::text, '') AS value) v
            WHERE i.account_id = $1 GROUP BY 1, 2, 3 ORDER BY total_cents DESC, due_count DESC, value
            LIMIT {GROUPS_MAX + 1}""",
        account_id,
        list(due),
        [count for count, _ in due.values()],
        [cents for _, cents in due.values()],
        tag_key if by is ForecastGrouping.TAG else None,
    )
    if len(rows) > GROUPS_MAX:
        raise _too_many(by)
    return [ForecastGroup(*row) for row in rows]


def _too_many(by: ForecastGrouping) -> errors.InvalidInputError:
    if by is ForecastGrouping.TAG:
        return errors.InvalidInputError("tagKey", _VALUES_TOO_MANY.fill(count=GROUPS_MAX))
    return errors.InvalidInputError("by", _GROUPS_TOO_MANY.fill(count=GROUPS_MAX))


def _check_key(tag_key: str | None) -> None:
    if tag_key is None:
        raise errors.InvalidInputError("tagKey", Message("is required to group by TAG"))
    if problem := tags.find_key_problem(tag_key):
        raise errors.InvalidInputError("tagKey", problem)
