"""What each leaf of a walk names, as far as that can be anybody's; and what nobody has."""

from collections.abc import Mapping
from typing import Any

THEIRS, TWINS, NOBODY = "tenant-a", ("tenant-b1", "tenant-b2"), "tenant-x"
USED, FRESH = "used", "fresh"
"""What an idempotency key begins with; the input that it was sent in follows, for each may be used but once."""

NAMED: Mapping[str, str] = {
    "Query.instance.id": "instance",
    "Query.order.id": "order",
    "Query.instances.after": "instance cursor",
    "Query.instances.before": "instance cursor",
    "Query.orders.after": "order cursor",
    "Query.orders.before": "order cursor",
    "Query.ledger.after": "ledger cursor",
    "Query.ledger.before": "ledger cursor",
    "InstanceFilter.ids": "instance",
    "InstanceFilter.search": "name",
    "InstanceFilter.products": "product",
    "InstanceFilter.dataCenters": "data center",
    "MatchingInput.except": "instance",
    "Selection.ids": "instance",
    "ReplayWebhookDeliveryInput.sequence": "sequence",
    "Subscription.events.after": "sequence",
    "WebhookEndpoint.deliveries.after": "sequence",
    **{
        f"{verb}Input.id": "endpoint"
        for verb in (
            *("UpdateWebhookEndpoint", "RotateWebhookSecret", "DeleteWebhookEndpoint"),
            *("ReplayWebhookDelivery", "SendTestWebhook"),
        )
    },
    # Of operators alone.
    "Query.account.id": "account",
    "Query.accounts.search": "name",
    "Query.accounts.after": "account cursor",
    "Query.accounts.before": "account cursor",
    "Query.apiKeys.prefix": "prefix",
    "Query.auditLog.after": "audit cursor",
    "Query.auditLog.before": "audit cursor",
    "CreateAccountInput.id": "account",
    "RevokeApiKeyInput.keyId": "key",
    "RefundOrderInput.orderId": "order",
    "RetryParkedInput.runId": "run",
    "BundleInput.id": "bundle",
    "InstanceInput.id": "instance",
    "InstanceInput.bundleId": "bundle",
    "InstanceInput.productCode": "product",
    "InstanceInput.dataCenterCode": "data center",
    "ProductInput.code": "product",
    "DataCenterInput.code": "data center",
    "VoucherInput.products": "product",
    "WebhookDeliveryKey.sequence": "sequence",
}
"""What the leaf at a coordinate names."""

NAMED_ALIKE: Mapping[str, str] = {
    "accountId": "account",
    "instanceId": "instance",
    "instanceIds": "instance",
    "idempotencyKey": "idempotency key",
}
"""The same, by the last word of a coordinate: wherever that stands, it names the same."""

PLAIN: Mapping[str, Any] = {
    "first": 5, "last": 5, "offset": 0, "months": 1, "days": 3, "dayOfMonth": 1, "autoRenewMonths": 1,
    "expiresWithinDays": 30, "overlapHours": 1, "leadDays": 1, "anchorDay": 1, "maxTermMonths": 36,
    "retentionDays": 7, "url": "https://hooks.example.com/", "eventTypes": [], "name": "Name", "nameZh": "名",
    "unsupportedReason": "No", "memo": "", "reason": "Because", "label": "l", "value": "v",
    "timeZone": "Asia/Shanghai", "currency": "CNY",
}  # fmt: skip
"""Numbers and texts that name nothing of anybody, by the last word of a coordinate, and what is sent for them."""

VALUES: Mapping[str, Any] = {
    "date": "2029-01-31", "expiresOn": "2029-01-31", "expiresAt": "2029-01-31T00:00:00Z",
    "expiresFrom": "2020-01-01T00:00:00Z", "expiresBefore": "2030-01-01T00:00:00Z",
    "createdAt": "2027-01-01T00:00:00Z", "monthlyPrice": "1.00", "amount": "1.00", "faceValue": "1.00",
    "discountPercent": "5.00", "enabled": True, "usable": True,
}  # fmt: skip
"""Dates, amounts and flags, where one must be sent."""


class UnknownLeafError(Exception):
    """The walk does not know what a new argument names."""

    def __init__(self, coordinate: str) -> None:
        super().__init__(
            f"{coordinate} takes an id, a number or a text, and the walk of tenancy cannot tell what it names: "
            "add it to NAMED, or to PLAIN if it names nothing of anybody, in tests/isolation/names.py"
        )


def kind_of(coordinate: str) -> str | None:
    """What the leaf at a coordinate names; None: nothing. Raises UnknownLeafError."""
    word = coordinate.rpartition(".")[2]
    kind = NAMED.get(coordinate) or NAMED_ALIKE.get(word)
    if kind is None and word not in PLAIN:
        raise UnknownLeafError(coordinate)
    return kind


NOBODYS: Mapping[str, Any] = {
    "instance": f"{NOBODY}-i-1",
    "order": "00000000-0000-4000-8000-000000000000",
    "endpoint": "00000000-0000-4000-8000-000000000000",
    "key": "00000000-0000-4000-8000-000000000000",
    "name": f"{NOBODY}-i",
    "product": "none",
    "data center": "none",
    "sequence": 1_000_000,
    "idempotency key": FRESH,
    "account": NOBODY,
    "bundle": f"{NOBODY}-bundle",
    "run": "1000000",
    "prefix": "00000000",
}

OF_ONE_ACCOUNT = frozenset(
    {"instance", "order", "endpoint", "bundle", "sequence", "order cursor", "instance cursor", "prefix"}
)
"""Kinds of things that are somebody's."""
WHOSE = frozenset({"account", "instance", "order", "endpoint", "bundle", "sequence"})
"""Kinds that say of whom a call is: where it takes two of them, they may be of two accounts."""


def nobodys(kind: str, thing: Any) -> Any:
    """What nobody has; a cursor is a place in a list, for everybody the same."""
    return thing if kind.endswith("cursor") else NOBODYS[kind]
