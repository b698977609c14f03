"""Filters, sort orders, selections and unify targets of instances, and their conversion to values of `renewals`."""

import datetime as dt

import strawberry

from renewals.db import pagination
from renewals.domain import limits, model, planning, tags
from renewals.instances import filters, selection
from renewals.instances import queries as instances_queries
from schema.shared import enums
from schema.shared.inputs import sent_values, skip_conversion

IDs = list[strawberry.ID]
_IDS_MAX = limits.INSTANCES_PER_SELECTION_MAX


@skip_conversion
@strawberry.input(description="A tag of an instance.")
class TagInput:
    key: str = strawberry.field(description=f"1 to {tags.KEY_LENGTH_MAX} characters, unique in an instance.")
    value: str = strawberry.field(description=f"0 to {tags.VALUE_LENGTH_MAX} characters.")


@skip_conversion
@strawberry.input(description="The condition that an instance has a tag.")
class TagFilter:
    key: str = strawberry.field(description="The key of the tag.")
    values: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="The tag must have one of these values. Null: any value."
    )


@skip_conversion
@strawberry.input(
    description=(
        "Conditions on instances. An instance must meet all of them. Null: no condition. An empty list matches "
        "nothing."
    )
)
class InstanceFilter:
    ids: IDs | None = strawberry.field(
        default=strawberry.UNSET, description=f"Ids of instances, at most {_IDS_MAX:,}."
    )
    search: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Text that the id, the name or a configuration value contains, case-insensitive.",
    )
    tab: model.RenewalTab | None = strawberry.field(
        default=strawberry.UNSET, description="The tab of the renewal console that the instance is on."
    )
    expires_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Expires at this instant or later."
    )
    expires_before: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Expires before this instant."
    )
    expires_on_from: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The last day is this day or later, in the account's time zone.",
    )
    expires_on_to: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="The last day is this day or earlier, in the account's time zone.",
    )
    expires_within_days: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Expires within this number of days (24 hours each) from now, and has not expired.",
    )
    products: IDs | None = strawberry.field(default=strawberry.UNSET, description="Codes of products.")
    data_centers: IDs | None = strawberry.field(
        default=strawberry.UNSET, description="Codes of data centers."
    )
    data_center_types: IDs | None = strawberry.field(
        default=strawberry.UNSET, description="Codes of types of data centers."
    )
    status: list[model.InstanceStatus] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Statuses. Null: all except RELEASED, which must be named here to be found.",
    )
    bundled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="True: members of bundles only. False: all others. Null: both."
    )
    tags: list[TagFilter] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"Tag conditions, all of which an instance must meet: at most {filters.TAG_CONDITIONS_MAX}.",
    )
    manageable: bool | None = strawberry.field(
        default=True,
        description=(
            "True: instances that renewal management serves. False: trials, one-off purchases and instances of "
            "unsupported products. Null: both."
        ),
    )

    def to_filter(self) -> filters.InstanceFilter:
        """Return the input as a filter of `renewals`, without checking its bounds."""
        values = sent_values(self)
        if sent := values.get("tags"):  # mappings, because `skip_conversion` leaves nested inputs as they are
            values["tags"] = [filters.TagFilter(tag["key"], tag.get("values")) for tag in sent]
        return filters.InstanceFilter(**values)


@strawberry.input(description="The sort order of instances. Equal values are ordered by id.")
class InstanceOrder:
    field: instances_queries.InstanceOrderField = strawberry.field(
        default=instances_queries.InstanceOrderField.EXPIRES_AT, description="The value to sort by."
    )
    direction: enums.OrderDirection = strawberry.field(
        default=enums.OrderDirection.ASC, description="Ascending or descending."
    )

    @property
    def is_descending(self) -> bool:
        """Whether the largest value comes first."""
        return self.direction is enums.OrderDirection.DESC


def to_instance_filter(sent: InstanceFilter | None) -> filters.InstanceFilter:
    """Convert a filter of instances to that of the package `renewals`. Raises InvalidInputError for bad conditions."""
    instance_filter = sent.to_filter() if sent else filters.InstanceFilter()
    filters.check_filter(instance_filter, "filter")
    return instance_filter


def to_instance_ordering(sent: InstanceOrder | None) -> pagination.SortOrder:
    """Convert a sort order of instances to that of the package `renewals`: by default, the earliest expiry first."""
    order = sent or InstanceOrder()
    return instances_queries.instance_ordering(order.field, descending=order.is_descending)


@strawberry.input(description="All instances that match a filter, except some.")
class MatchingInput:
    filter: InstanceFilter = strawberry.field(
        description="The conditions, evaluated when the request is executed."
    )
    except_: IDs = strawberry.field(
        name="except", default_factory=list, description="Ids of matching instances to leave out."
    )


@strawberry.input(
    one_of=True,
    description=f"Instances by id, or all that match a filter, with exceptions. At most {_IDS_MAX:,} instances.",
)
class Selection:
    ids: IDs | None = strawberry.field(
        default=strawberry.UNSET, description="Ids of instances. Unknown ids are refused with NOT_FOUND."
    )
    matching: MatchingInput | None = strawberry.field(
        default=strawberry.UNSET, description="A filter with exceptions."
    )

    def to_pick(self) -> selection.InstanceSelector:
        """Return the input as an `InstanceSelector` of `renewals`."""
        if self.matching:
            return selection.ByFilter(self.matching.filter.to_filter(), tuple(self.matching.except_))
        return selection.ById(tuple(self.ids or ()))


@strawberry.input(
    one_of=True,
    description=(
        "The new last day: one date for all instances, or a day of the month. No expiry becomes earlier. Later "
        "renewals end on the target's day of the month."
    ),
)
class UnifyTarget:
    date: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "A date in the account's time zone. It must be later than every old last day, and must not have passed."
        ),
    )
    day_of_month: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "1 to 31. Each instance gets the first such day that is at least one month after its old last day. In a "
            "shorter month, the last day counts as this day."
        ),
    )

    def to_extension(self) -> planning.UnifyToDate | planning.UnifyToDayOfMonth:
        """Return the target for the planner."""
        if self.date:
            return planning.UnifyToDate(self.date)
        return planning.UnifyToDayOfMonth(self.day_of_month or 0)


IDEMPOTENCY_KEY = (
    f"1 to {limits.IDEMPOTENCY_KEY_LENGTH_MAX} printable characters. Repeating a request with the same key returns the "
    "first result and changes nothing. Another request with the same key is refused with IdempotencyKeyReused. "
    "A refused request does not use up its key."
)
"""The description of the idempotency key in most inputs."""
