"""What a run would do, for the command line: a table with a row per account."""

from collections.abc import Sequence

from graphql_api.cli import forecast_table
from renewals.domain import money
from renewals.operators import run_now

_HEAD = (
    *("account", "due", "renewed", "total", "vouchers", "balance"),
    *("refused", "expired", "released", "why refused"),
)
_IS_TEXT = (True, *[False] * 8, True)


def table(preview: run_now.RunPreview) -> str:
    """The accounts of which something would change, and their sums."""
    lines = [f"dry run at {preview.at.isoformat()}: nothing is written"]
    lines += [
        f"run {run_id} has not ended: run-now would finish it first" for run_id in preview.unfinished_run_ids
    ]
    rows = [list(_HEAD), *map(_row, preview.accounts), _sums(preview.accounts)]
    return "\n".join([*lines, "", *forecast_table.align(rows, _IS_TEXT)])


def _row(account: run_now.AccountPreview) -> list[str]:
    reasons = [f"{code} {count}" for code, count in sorted(account.refusal_counts.items())]
    return [
        account.account_id,
        str(account.due_count),
        str(account.renewed_count),
        money.format_cents(account.total_cents),
        money.format_cents(account.voucher_cents),
        money.format_cents(account.balance_cents),
        str(account.refused_count),
        str(account.expired_count),
        str(account.released_count),
        f"parked: {account.error}" if account.error else ", ".join(reasons),
    ]


def _sums(accounts: Sequence[run_now.AccountPreview]) -> list[str]:
    return [
        "all accounts",
        str(sum(each.due_count for each in accounts)),
        str(sum(each.renewed_count for each in accounts)),
        money.format_cents(sum(each.total_cents for each in accounts)),
        money.format_cents(sum(each.voucher_cents for each in accounts)),
        money.format_cents(sum(each.balance_cents for each in accounts)),
        str(sum(each.refused_count for each in accounts)),
        str(sum(each.expired_count for each in accounts)),
        str(sum(each.released_count for each in accounts)),
        "",
    ]
