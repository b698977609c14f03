"""The inputs of the tools, with the names of the GraphQL schema. The API checks what these types do not check."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

PAGE_ROWS_MAX = 100
"""The maximum number of rows of a page for an agent. The API's own maximum is 1,000."""

Instant = Annotated[str, Field(description="ISO 8601 with offset, such as 2027-01-15T10:00:00+08:00.")]
Day = Annotated[str, Field(description="YYYY-MM-DD in the account's time zone.")]
Cursor = Annotated[str | None, Field(description="endCursor of the previous page. Null: the first page.")]
PageRows = Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX, description="Maximum number of rows.")]
Months = Annotated[int, Field(ge=1, le=36, description="Months to renew for.")]
RenewalMode = Annotated[
    Literal["MANUAL", "AUTO", "NONE"],
    Field(description="MANUAL: the customer renews. AUTO: renewed each term. NONE: meant to expire."),
]
Bundles = Annotated[
    Literal["REFUSE", "WHOLE"],
    Field(
        description="REFUSE: a bundle (强关联) must be the whole selection. WHOLE: adds the rest of each bundle."
    ),
]
BatchMode = Annotated[
    Literal["ALL_OR_NOTHING", "BEST_EFFORT"],
    Field(
        description="BEST_EFFORT: refused instances are left out. ALL_OR_NOTHING: one refusal stops everything."
    ),
]
ExpectedTotal = Annotated[
    str,
    Field(
        pattern=r"^\d{1,14}(\.\d{1,2})?$",
        description="total of the quote that the customer agreed to, such as 512.90. Another total is not paid.",
    ),
]
IdempotencyKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="idempotencyKey of the quote. The same call with the same key pays only once.",
    ),
]


class Input(BaseModel):
    """An input object of the API; null leaves a condition out, and an unknown name is refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    def to_variable(self) -> dict[str, object]:
        """Return the input as the value of a GraphQL variable."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class TagFilter(Input):
    """The condition that an instance has a tag."""

    key: str
    values: list[str] | None = Field(None, description="The value is one of these. Null: any.")


class InstanceFilter(Input):
    """Conditions on instances. All must hold."""

    ids: list[str] | None = None
    search: str | None = Field(None, description="Part of the id, the name or a configuration value.")
    tab: Literal["MANUAL", "AUTO", "NONE", "NO_EXPIRY"] | None = Field(
        None, description="By renewal mode; NO_EXPIRY: without an expiry."
    )
    expires_on_from: Day | None = None
    expires_on_to: Day | None = None
    expires_within_days: int | None = Field(
        None, description="Not expired, and expires at most this many days of 24 hours from now."
    )
    products: list[str] | None = Field(None, description="Codes, as count_instances returns them.")
    data_centers: list[str] | None = Field(None, description="Codes, as count_instances returns them.")
    data_center_types: list[str] | None = Field(None, description="Codes, as count_instances returns them.")
    status: list[Literal["RUNNING", "EXPIRED", "RELEASED"]] | None = Field(
        None, description="Null: all except RELEASED."
    )
    bundled: bool | None = Field(None, description="True: members of bundles only. False: all others.")
    tags: list[TagFilter] | None = None


class Matching(Input):
    """All instances that match `filter`, without those in `except`."""

    filter: InstanceFilter
    except_: list[str] = Field(default_factory=list, alias="except", description="Ids to leave out.")


class Selection(Input):
    """Instances by ids, or all that match a filter: exactly one of the two. At most 10,000."""

    ids: list[str] | None = Field(None, min_length=1)
    matching: Matching | None = None

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Refuse a selection with both members or with neither."""
        if (self.ids is None) == (self.matching is None):
            raise ValueError("send exactly one of ids and matching")
        return self

    def to_variable(self) -> dict[str, object]:
        """Return the input as the value of a GraphQL variable, with one member."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)


class UnifyTarget(Input):
    """The new last day, by a date or a day of the month: exactly one of the two."""

    date: Day | None = None
    day_of_month: int | None = Field(None, ge=1, le=31, description="31: the month's last day.")

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Refuse a target with both members or with neither."""
        if (self.date is None) == (self.day_of_month is None):
            raise ValueError("send exactly one of date and dayOfMonth")
        return self

    def to_variable(self) -> dict[str, object]:
        """Return the input as the value of a GraphQL variable, with one member."""
        return self.model_dump(by_alias=True, exclude_none=True)


class OrderFilter(Input):
    """Conditions on orders. All must hold."""

    kinds: list[Literal["MANUAL_RENEWAL", "AUTO_RENEWAL", "UNIFY_EXPIRY"]] | None = None
    instance_id: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None


class LedgerFilter(Input):
    """Conditions on ledger entries. All must hold."""

    vouchers: bool | None = Field(None, description="True: entries of vouchers. False: of the balance.")
    kinds: list[Literal["TOP_UP", "RENEWAL", "REFUND"]] | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None


class EventFilter(Input):
    """Conditions on events. All must hold."""

    types: list[str] | None = Field(None, description="Event types, such as instance.renewed.")
    instance_id: str | None = None
    occurred_from: Instant | None = None
    occurred_before: Instant | None = None
