"""The labels of all enum values, in the language of the request."""

import strawberry

from renewals.i18n import catalogs, labels


@strawberry.type(description="The label of an enum value, in the caller's language.")
class EnumLabel:
    enum: str = strawberry.field(description="Name of the enum in this schema, such as RenewalMode.")
    value: str = strawberry.field(description="The enum value, such as AUTO.")
    label: str = strawberry.field(description="The value in a few words, for menus and tables.")


def resolve_labels() -> list[EnumLabel]:
    """Return the labels of the values of all enums, in the order of `labels.BY_ENUM`."""
    return [
        EnumLabel(enum=enum, value=value, label=catalogs.translate_for_request(label))
        for enum, values in labels.BY_ENUM.items()
        for value, label in values.items()
    ]
