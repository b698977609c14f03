"""The domain's enums, given to GraphQL under their own names."""

from enum import Enum
from typing import TypeVar

import strawberry

from renewals.auto_renewal import runs
from renewals.domain import errors, model
from renewals.instances import queries as instances_queries
from renewals.operators import audit_log

E = TypeVar("E", bound=Enum)


def _enum(cls: type[E], description: str | None = None, **values: str) -> type[E]:
    """Registers an enum, with a description of it and of some of its values."""
    registered = strawberry.enum(cls, description=description)
    for value in registered.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values.get(value.name)
    return registered


class OrderDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"


_enum(OrderDirection)
_enum(
    model.RenewalMode,
    MANUAL="The user renews by hand (the default).",
    AUTO="The worker renews for autoRenewMonths on the day of expiry.",
    NONE="Left to lapse on purpose: never renewed by the worker, never reminded.",
)
_enum(model.RenewalTab, "The pages of the renewal console. Every manageable instance is in exactly one.")
_enum(
    model.BillingMode,
    PREPAID="包年包月",
    ONE_OFF="按次购买: bought once, nothing to renew",
    PAY_AS_YOU_GO="按量付费",
)
_enum(model.InstanceStatus)
_enum(model.DataCenterType, "机房类型")
_enum(instances_queries.InstanceOrderField)
_enum(
    model.BatchMode,
    ALL_OR_NOTHING="One refusal refuses all; nothing is written.",
    BEST_EFFORT="Refused instances are reported; the others are done.",
)
_enum(
    model.BundleHandling,
    REFUSE=(
        "A strongly bound instance cannot take part in a batch; the members of one bundle, and nothing else, "
        "may be sent together."
    ),
    WHOLE=(
        "The selection is widened to whole bundles; each bundle is done as a whole or refused as a whole."
    ),
)
_enum(errors.RefusalCode)
_enum(model.OrderKind)
_enum(model.LedgerEntryKind)
_enum(
    model.Role,
    "What a key or a token may be used for.",
    RENEWER="All of its account.",
    VIEWER="All of its account, but to change nothing.",
    CALENDAR="Its account's calendar alone.",
    OPERATOR="The provider's side, and no account.",
)
_enum(runs.Trigger, "Why there is a run.")
_enum(audit_log.Action, "What an operator did, by the name of the mutation.")
