"""The results of the tools on the account: forecast, orders, ledger and history."""

from pydantic import Field

from graphql_api.mcp.instance_results import Named, OrderSummary, Result


class ForecastDay(Result):
    """The automatic renewals of one day."""

    date: str
    due_count: int
    total: str
    balance_after: str
    shortfall: str
    at_risk: list[Named] = Field(description="The first 5 instances that will not be renewed.")


class Forecast(Result):
    """The coming automatic renewals. `days` leaves out days without due instances."""

    total: str
    top_up_needed: str
    first_shortfall_on: str | None
    days: list[ForecastDay]


class PageInfo(Result):
    """Whether more rows follow, and the cursor to send as `after`."""

    has_next_page: bool
    end_cursor: str | None


class OrderLine(Result):
    """The renewal of one instance."""

    instance: Named
    starts_at: str | None = None
    expires_at: str
    months: int
    days: int = 0
    list_price: str
    price: str


class OrderRefund(Result):
    """A refund of lines of an order."""

    created_at: str
    total: str


class Order(OrderSummary):
    """A paid order, with its first 3 lines."""

    voucher_total: str
    balance_total: str
    lines: list[OrderLine]
    refunds: list[OrderRefund]


class OrderPage(Result):
    """A page of orders, the latest first."""

    total_count: int
    page_info: PageInfo
    nodes: list[Order]


class LedgerEntry(Result):
    """A change of the balance or of a voucher."""

    id: str
    kind: str
    amount: str
    balance_after: str
    created_at: str
    order_id: str | None
    memo: str


class LedgerPage(Result):
    """A page of the ledger, the latest entry first."""

    total_count: int
    page_info: PageInfo
    nodes: list[LedgerEntry]


class Voucher(Result):
    """A voucher that can pay."""

    id: str
    available: str
    face_value: str
    expires_at: str
    products: list[str] = Field(description="Codes of the products that it can pay for. Empty: all.")


class LedgerAccount(Result):
    """The account's money."""

    balance: str
    vouchers: list[Voucher]


class Ledger(Result):
    """The account's money, and a page of the ledger."""

    account: LedgerAccount
    ledger: LedgerPage


class Actor(Result):
    """The author of a change."""

    kind: str
    name: str


class HistoryEvent(Result):
    """An event of the account."""

    sequence: int
    type: str
    occurred_at: str
    summary: str
    actor: Actor
    instance: Named | None


class HistoryPage(Result):
    """A page of events, the newest first."""

    total_count: int
    page_info: PageInfo
    nodes: list[HistoryEvent]
