"""The kind of object that each leaf of the walk names, and ids that do not exist."""

from collections.abc import Mapping
from typing import Any

THEIRS, TWINS, NOBODY = "tenant-a", ("tenant-b1", "tenant-b2"), "tenant-x"
USED, FRESH = "used", "fresh"
"""The prefixes of idempotency keys. The leaf's coordinate follows, because a key can be used for only one request."""

NAMED: Mapping[str, str] = {
    "Query.instance.id": "instance",
    "Query.order.id": "order",
    "Query.instances.after": "instance cursor",
    "Query.instances.before": "instance cursor",
    "Query.orders.after": "order cursor",
    "Query.orders.before": "order cursor",
    "Query.ledger.after": "ledger cursor",
    "Query.ledger.before": "ledger cursor",
    "Query.eventHistory.after": "event cursor",
    "Query.eventHistory.before": "event cursor",
    "InstanceFilter.ids": "instance",
    "InstanceFilter.search": "name",
    "InstanceFilter.products": "product",
    "InstanceFilter.dataCenters": "data center",
    "InstanceFilter.dataCenterTypes": "data center type",
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
    # The operator API only.
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
    "DataCenterTypeInput.code": "data center type",
    "DataCenterInput.code": "data center",
    "DataCenterInput.type": "data center type",
    "VoucherInput.products": "product",
    "WebhookDeliveryKey.sequence": "sequence",
}
"""The kind of object that the leaf at a coordinate names."""

NAMED_ALIKE: Mapping[str, str] = {
    "accountId": "account",
    "instanceId": "instance",
    "instanceIds": "instance",
    "idempotencyKey": "idempotency key",
}
"""The kind of object that a leaf names, by the last word of its coordinate."""

PLAIN: Mapping[str, Any] = {
    "first": 5, "last": 5, "offset": 0, "months": 1, "days": 3, "dayOfMonth": 1, "autoRenewMonths": 1,
    "expiresWithinDays": 30, "overlapHours": 1, "leadDays": 1, "anchorDay": 1, "maxTermMonths": 36,
    "retentionDays": 7, "url": "https://hooks.example.com/", "eventTypes": [], "types": ["policy.changed"],
    "name": "Name", "nameZh": "名",
    "unsupportedReason": "No", "unsupportedReasonZh": "否", "memo": "", "reason": "Because", "label": "l", "value": "v",
    "timeZone": "Asia/Shanghai", "currency": "CNY", "key": "env", "values": [], "removeKeys": [], "tagKey": "env",
}  # fmt: skip
"""The values of numbers and texts that name no object, by the last word of a coordinate."""

VALUES: Mapping[str, Any] = {
    "date": "2029-01-31", "expiresOn": "2029-01-31", "expiresAt": "2029-01-31T00:00:00Z",
    "expiresFrom": "2020-01-01T00:00:00Z", "expiresBefore": "2030-01-01T00:00:00Z",
    "to": "2027-02-01T00:00:00Z",
    "createdAt": "2027-01-01T00:00:00Z", "monthlyPrice": "1.00", "amount": "1.00", "faceValue": "1.00",
    "discountPercent": "5.00", "enabled": True, "usable": True,
}  # fmt: skip
"""The values of required dates, amounts and flags."""


class UnknownLeafError(Exception):
    """A new argument is missing from the tables of this module."""

    def __init__(self, coordinate: str) -> None:
        super().__init__(
            f"{coordinate} takes an id, a number or a text, and the walk of tenancy cannot tell what it names: "
            "add it to NAMED, or to PLAIN if it names nothing of anybody, in tests/isolation/names.py"
        )


def kind_of(coordinate: str) -> str | None:
    """Return the kind of object that the leaf at a coordinate names, or None. Raises UnknownLeafError."""
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
    "data center type": "none",
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
"""The kinds of objects that belong to one account."""
WHOSE = frozenset({"account", "instance", "order", "endpoint", "bundle", "sequence"})
"""The kinds that identify an account. A field with two such arguments can name two accounts."""


def nobodys(kind: str, object_id: Any) -> Any:
    """Return an id that does not exist. A cursor is a position in a list, which is valid for every account."""
    return object_id if kind.endswith("cursor") else NOBODYS[kind]
