"""Input types of quotes, renewals, unified expiries, policies and tags, and their conversion to domain requests."""

import strawberry

from renewals.domain import limits, model, planning, tags
from renewals.instances import policy, set_tags
from renewals.orders import requests
from schema.customer import inputs
from schema.shared import scalars
from schema.shared.inputs import unset_to_none

_MONTHS = (
    f"Number of months: 1 to {limits.MONTHS_MAX}. "
    "The new expiry must be within the product's longest term from now."
)
_TARGET = "The new last day."
_BATCH_MODE = "The effect of one refused instance on the others."


@strawberry.input
class SelectionInput:
    """The arguments common to all operations on a selection, except setTags."""

    selection: inputs.Selection = strawberry.field(description="The instances to work on.")
    bundles: model.BundleHandling = strawberry.field(
        default=model.BundleHandling.REFUSE, description="How to handle members of bundles (强关联)."
    )


@strawberry.input(description="The arguments of quoteRenewal.")
class QuoteRenewalInput(SelectionInput):
    months: int = strawberry.field(description=_MONTHS)

    def to_request(self) -> requests.QuoteRequest:
        """Return the input as a `QuoteRequest` of `renewals`."""
        return requests.QuoteRequest(self.selection.to_pick(), planning.RenewFor(self.months), self.bundles)


@strawberry.input(description="The arguments of quoteUnifyExpiry.")
class QuoteUnifyExpiryInput(SelectionInput):
    target: inputs.UnifyTarget = strawberry.field(description=_TARGET)

    def to_request(self) -> requests.QuoteRequest:
        """Return the input as a `QuoteRequest` of `renewals`."""
        return requests.QuoteRequest(self.selection.to_pick(), self.target.to_extension(), self.bundles)


@strawberry.input(description="The arguments of setRenewalPolicy.")
class SetRenewalPolicyInput(SelectionInput):
    mode: model.RenewalMode = strawberry.field(
        description="The new mode. An expired instance cannot be set to AUTO."
    )
    auto_renew_months: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"For AUTO: 1 to {limits.MONTHS_MAX}. Null: each instance keeps its months, 1 by default.",
    )
    batch_mode: model.BatchMode = strawberry.field(
        default=model.BatchMode.BEST_EFFORT, description=_BATCH_MODE
    )

    def to_request(self) -> policy.PolicyRequest:
        """Return the input as a `PolicyRequest` of `renewals`."""
        return policy.PolicyRequest(
            self.selection.to_pick(),
            self.mode,
            auto_renew_months=unset_to_none(self.auto_renew_months),
            handling=self.bundles,
            batch_mode=self.batch_mode,
        )


@strawberry.input(description="The arguments of setTags. At least one tag or key must be given.")
class SetTagsInput:
    selection: inputs.Selection = strawberry.field(
        description="The instances to change. A member can be selected without the rest of its bundle."
    )
    set: list[inputs.TagInput] = strawberry.field(
        default_factory=list,
        description=f"Tags to add, or to replace by key: at most {tags.TAGS_MAX}, with unique keys.",
    )
    remove_keys: list[str] = strawberry.field(
        default_factory=list,
        description=(
            f"Keys of tags to remove: at most {tags.TAGS_MAX}, none of them in `set`. A key that an instance does not "
            "have is ignored."
        ),
    )
    batch_mode: model.BatchMode = strawberry.field(
        default=model.BatchMode.BEST_EFFORT, description=_BATCH_MODE
    )

    def to_request(self) -> set_tags.TagsRequest:
        """Return the input as a `TagsRequest` of `renewals`."""
        change = tags.TagChange([(tag.key, tag.value) for tag in self.set], self.remove_keys)
        return set_tags.TagsRequest(self.selection.to_pick(), change, self.batch_mode)


@strawberry.input
class OrderInput(SelectionInput):
    """The arguments common to renewInstances and unifyExpiry."""

    batch_mode: model.BatchMode = strawberry.field(
        default=model.BatchMode.ALL_OR_NOTHING, description=_BATCH_MODE
    )
    expected_total: scalars.Money | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The total of the quote. If the total has changed, nothing is charged and the result is PriceChanged. "
            "Null: accept any total."
        ),
    )
    idempotency_key: str = strawberry.field(description=inputs.IDEMPOTENCY_KEY)

    def to_order(self, extension: requests.Extension) -> requests.OrderRequest:
        """Return the request to `renewals` for an order that extends the selected instances by `extension`."""
        return requests.OrderRequest(
            self.selection.to_pick(),
            extension,
            handling=self.bundles,
            batch_mode=self.batch_mode,
            expected_total_cents=unset_to_none(self.expected_total),
            idempotency_key=self.idempotency_key,
        )


@strawberry.input(description="The arguments of renewInstances.")
class RenewInstancesInput(OrderInput):
    months: int = strawberry.field(description=_MONTHS)

    def to_request(self) -> requests.OrderRequest:
        """Return the input as an `OrderRequest` of `renewals`."""
        return self.to_order(planning.RenewFor(self.months))


@strawberry.input(description="The arguments of unifyExpiry.")
class UnifyExpiryInput(OrderInput):
    target: inputs.UnifyTarget = strawberry.field(description=_TARGET)

    def to_request(self) -> requests.OrderRequest:
        """Return the input as an `OrderRequest` of `renewals`."""
        return self.to_order(self.target.to_extension())
