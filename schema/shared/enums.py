"""The enums of `renewals` as GraphQL enums, with a description of each enum and value."""

from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from renewals.auto_renewal import runs
from renewals.domain import errors, instance_actions, model
from renewals.forecasts import groups
from renewals.instances import queries as instances_queries
from renewals.operators import audit_log
from renewals.webhooks import status

E = TypeVar("E", bound=Enum)


def _enum(cls: type[E], description: str, *, name: str | None = None, **values: str) -> None:
    """Register an enum with descriptions of the enum and of each value."""
    registered = strawberry.enum(cls, name=name, description=description)
    for value in registered.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]


class OrderDirection(Enum):
    """The direction of a sort order."""

    ASC = "ASC"
    DESC = "DESC"


class CustomerRole(Enum):
    """The roles of keys and tokens with access to the customers' GraphQL API."""

    VIEWER = "VIEWER"
    RENEWER = "RENEWER"


_enum(
    OrderDirection,
    "The direction of a sort order.",
    ASC="The smallest or earliest value first.",
    DESC="The largest or latest value first.",
)
_enum(
    model.RenewalMode,
    "How an instance is renewed.",
    MANUAL="The customer renews the instance (the default).",
    AUTO=(
        "The worker renews the instance for autoRenewMonths months. The account's leadDays set how many days before "
        "the last day it does so."
    ),
    NONE="The instance is meant to expire. The worker neither renews it nor sends reminders.",
)
_enum(
    model.RenewalTab,
    "The tabs of the renewal console. Every manageable instance is on exactly one.",
    MANUAL="Instances with an expiry and the mode MANUAL.",
    AUTO="Instances with an expiry and the mode AUTO.",
    NONE="Instances with an expiry and the mode NONE.",
    NO_EXPIRY="Instances without an expiry, whatever their mode.",
)
_enum(
    model.BillingMode,
    "How an instance is paid for.",
    PREPAID="包年包月: paid in advance for a number of months or up to a date.",
    ONE_OFF="按次购买: bought once, so it cannot be renewed.",
    PAY_AS_YOU_GO="按量付费: charged by usage, outside this service.",
)
_enum(
    model.InstanceStatus,
    "The stage of an instance's life.",
    RUNNING="The instance was not released, and its term has not ended or it has no expiry.",
    EXPIRED="The instance's term has ended. A renewal before the release makes the instance RUNNING again.",
    RELEASED="The instance's data is gone, and the instance can no longer be renewed.",
)
_enum(
    instances_queries.InstanceOrderField,
    "The value by which instances are sorted.",
    EXPIRES_AT="The expiry. Instances without one count as the latest.",
    CREATED_AT="When the provider created the instance.",
    NAME="The display name, by code point.",
    PRODUCT="The product's code.",
    ID="The provider's id.",
)
_enum(
    groups.ForecastGrouping,
    "The property by which the renewals of a forecast are grouped.",
    PRODUCT="The product.",
    DATA_CENTER="The data center.",
    TAG="The value of the tag with the given key.",
)
_enum(
    model.BatchMode,
    "The effect of one refused instance on the others.",
    ALL_OR_NOTHING="If one instance is refused, all are refused and nothing changes.",
    BEST_EFFORT="Refused instances are listed, and the others are changed.",
)
_enum(
    model.BundleHandling,
    "How a selection treats members of bundles (强关联).",
    REFUSE=(
        "A bundle is accepted only if the selection consists of exactly its members. In any other selection, the "
        "members of the bundle are refused."
    ),
    WHOLE=(
        "The missing members of each bundle are added to the selection. If `except` names a member, its bundle is "
        "refused. Each bundle is accepted or refused as a whole."
    ),
)
_enum(
    errors.RefusalCode,
    "Why an instance cannot take part. New values may be added.",
    NOT_FOUND="The account has no instance with this id.",
    UNSUPPORTED_PRODUCT="Renewal management does not serve the product; see its unsupportedReason.",
    TRIAL="The instance is a trial.",
    ONE_OFF="The instance was bought once and cannot be renewed.",
    NO_EXPIRY="The instance has no expiry.",
    EXPIRED="The instance has expired, so its mode cannot become AUTO and the worker does not renew it.",
    RELEASED="The instance was released and cannot be restored.",
    BUNDLED=(
        "The instance is in a bundle, and the selection has other instances as well, or another member of the bundle "
        "is refused."
    ),
    BUNDLE_INCOMPLETE="The selection lacks members of the instance's bundle; see bundleInstanceIds.",
    PERIOD_TOO_SHORT="The new expiry would not be in the future; see leastMonths.",
    MAX_TERM_EXCEEDED=(
        "The new expiry would be further from now than the product's longest term, or autoRenewMonths would exceed "
        "that term."
    ),
    TARGET_NOT_LATER="The target date has passed, or is not later than the last day of the instance.",
    INSUFFICIENT_FUNDS="Vouchers and balance do not cover the renewal.",
    PRICE_HELD="The price rose by more than the account's cap, and the customer has not agreed to the new price.",
    BEFORE_CUT_OVER="The instance was due before the account's autoRenewFrom, so the worker does not renew it.",
    TOO_MANY_TAGS="The instance would have more than 20 tags.",
)
_enum(
    model.Language,
    "A language of messages, labels and notices.",
    ZH="Chinese, in simplified characters.",
    EN="English.",
)
_enum(
    model.OrderKind,
    "The operation that made an order.",
    MANUAL_RENEWAL="renewInstances.",
    AUTO_RENEWAL="An automatic renewal by the worker.",
    UNIFY_EXPIRY="unifyExpiry.",
)
_enum(
    instance_actions.InstanceActionKind,
    "An operation on an instance, as a console offers it.",
    RENEW="renewInstances, with a number of months from monthsMin to monthsMax.",
    SET_AUTO="setRenewalPolicy with mode AUTO and the months that the instance has.",
    UNIFY="unifyExpiry, with at least one possible date.",
)
_enum(
    model.ActorKind,
    "The kind of actor that made a change.",
    CUSTOMER="An API key or a token of the account.",
    WORKER="The worker: automatic renewals, expiry, release, reminders and warnings.",
    OPERATOR="The provider, through the operator API or an import.",
)
_enum(
    model.LedgerEntryKind,
    "Why an amount changed.",
    TOP_UP="Money was paid in, or a voucher was issued.",
    RENEWAL="An order was paid.",
    REFUND="Lines of an order were refunded.",
)
_enum(
    model.Role,
    "The permitted use of an API key or a token.",
    RENEWER="Reads and changes of one account.",
    VIEWER="Reads of one account.",
    CALENDAR="The calendar feed of one account.",
    OPERATOR="The operator API, but not the customer API.",
)
_enum(
    CustomerRole,
    "The permitted use of an API key or a token.",
    name="Role",
    VIEWER="Reads only. Every mutation is refused with FORBIDDEN.",
    RENEWER="Reads and changes.",
)
_enum(
    status.DeliveryState,
    "Whether a delivery will be attempted again.",
    name="WebhookDeliveryState",
    WAITING=(
        "The delivery will be retried, or waits for an earlier delivery of its instance or, for an event of the "
        "account, of the account."
    ),
    PARKED="The service has stopped retrying. Only replayWebhookDelivery sends the delivery again.",
)
_enum(
    runs.Trigger,
    "Why a run was started.",
    SCHEDULED="The hourly schedule started it, or a worker that started after the last scheduled run was missed.",
    START="A worker started, and the last scheduled run had not been missed.",
    OPERATOR="An operator started it.",
    TEST_CLOCK=(
        "The clock of a test account passed an hour at which something was due. All times of the run equal that hour."
    ),
)
_enum(
    audit_log.Action,
    "A change by an operator, named after the mutation.",
    **{action.value: f"The mutation {to_camel_case(action.value.lower())}." for action in audit_log.Action},
)
