"""The results of the tools that quote, pay and set policies."""

from pydantic import Field

from graphql_api.mcp.account_results import OrderLine
from graphql_api.mcp.instance_results import Named, OrderSummary, Refusal, Result


class Quote(Result):
    """The price and the result of a payment made now, and the idempotency key for the payment."""

    total: str = Field(description="Send it as expectedTotal once the customer agrees.")
    idempotency_key: str = Field(description="Send it as idempotencyKey, also in a repeated call.")
    line_count: int
    lines: list[OrderLine] = Field(description="The first 10.")
    refusal_count: int
    refusals: list[Refusal] = Field(description="The first 10.")
    voucher_total: str
    balance_total: str
    balance_after: str
    shortfall: str = Field(description="The missing amount; 0.00 if there is enough money.")


class AccountBalance(Result):
    """The account after a payment."""

    balance: str


class Payment(Result):
    """The order that was paid. A repeated call returns the order of the first call."""

    order: OrderSummary
    account: AccountBalance
    refusal_count: int
    refusals: list[Refusal] = Field(description="The first 10.")


class PolicyChange(Result):
    """The change of one instance's policy."""

    instance: Named
    from_mode: str
    to_mode: str
    from_months: int
    to_months: int
    first_charge_at: str | None
    first_charge_price: str | None


class PolicyPreview(Result):
    """The effect that set_renewal_policy would have now."""

    change_count: int = Field(description="Send it as expectedChangeCount once the customer agrees.")
    unchanged_count: int
    changes: list[PolicyChange] = Field(description="The first 10.")
    refusal_count: int
    refusals: list[Refusal] = Field(description="The first 10.")


class PolicyResult(Result):
    """The result of set_renewal_policy."""

    changed_count: int
    unchanged_count: int
    refusals: list[Refusal]
