"""The results of the tools on instances: the part of a response that an agent needs, with the schema's names."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Result(BaseModel):
    """An object of a response. Amounts are strings with two decimals, instants are in UTC."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


class Named(Result):
    """An instance or a bundle."""

    id: str
    name: str


class Coded(Result):
    """A product or a data center."""

    code: str
    name: str


class AccountSummary(Result):
    """The caller's account."""

    name: str
    balance: str
    currency: str
    time_zone: str


class CallerSummary(Result):
    """The holder of the API key or token."""

    name: str
    can_write: bool
    account: AccountSummary


class InstanceSummary(Named):
    """The policy, the expiry and the prices of an instance."""

    status: str
    renewal_mode: str
    auto_renew_months: int
    expires_on: str | None
    days_left: int | None
    releases_at: str | None
    monthly_price: str
    agreed_price: str | None


class InstanceRow(InstanceSummary):
    """An instance in a list."""

    product: Coded
    data_center: Coded
    bundle: Named | None


class InstancePage(Result):
    """A page of instances."""

    total_count: int
    nodes: list[InstanceRow]


class InstanceList(Result):
    """A page of instances, and the caller."""

    viewer: CallerSummary
    instances: InstancePage


class FacetCount(Result):
    """The number of instances with one value."""

    value: str
    count: int


class Facets(Result):
    """The counts for each property. A facet ignores the filter's condition on its own property."""

    tabs: list[FacetCount]
    products: list[FacetCount]
    data_centers: list[FacetCount]
    data_center_types: list[FacetCount]
    expiry: list[FacetCount]


class InstanceCounts(Result):
    """The number of matching instances, in all and by each property."""

    total_count: int
    facets: Facets


class Refusal(Result):
    """An instance that cannot take part, and why."""

    instance_id: str | None = None
    code: str
    message: str


class Outlook(Result):
    """The next automatic renewal, or why there is none."""

    will_renew: bool
    due_at: str | None
    price: str | None
    refusals: list[Refusal]


class ActionRefusal(Result):
    """Why an action is not allowed now."""

    message: str


class Action(Result):
    """An operation on the instance, and whether it is allowed now."""

    action: str
    allowed: bool
    refusal: ActionRefusal | None


class ConfigurationItem(Result):
    """A property of the instance."""

    label: str
    value: str


class DiscountTier(Result):
    """A discount for longer renewals."""

    months: int
    discount_percent: str


class ProductDetails(Result):
    """The product of an instance."""

    name: str
    max_term_months: int
    retention_days: int
    discount_tiers: list[DiscountTier]


class BundleDetails(Result):
    """The bundle of an instance, with its members."""

    name: str
    instances: list[Named]


class Attempt(Result):
    """An attempt of the worker to renew the instance."""

    attempted_at: str
    succeeded: bool
    message: str | None


class OrderSummary(Result):
    """An order in brief."""

    id: str
    kind: str | None = None
    created_at: str | None = None
    total: str
    line_count: int | None = None


class InstanceDetails(InstanceSummary):
    """One instance with its outlook, bundle, actions, and latest 5 attempts and 5 orders."""

    billing_mode: str
    product: ProductDetails
    configuration: list[ConfigurationItem]
    outlook: Outlook
    bundle: BundleDetails | None
    actions: list[Action]
    attempts: list[Attempt]
    orders: list[OrderSummary]
