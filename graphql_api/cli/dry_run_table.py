"""Preview of a run for the command line: a table with one row per account."""

from collections.abc import Sequence

from graphql_api.cli import text_table
from renewals.domain import money
from renewals.operators import run_now

_HEADER = (
    *("account", "due", "renewed", "total", "vouchers", "balance"),
    *("refused", "expired", "released", "why refused"),
)
_TEXT_COLUMNS = frozenset({0, 9})


def format_preview(preview: run_now.RunPreview) -> str:
    """Return the accounts that the run would change, and their sums."""
    lines = [f"dry run at {preview.at.isoformat()}: nothing is written"]
    lines += [
        f"run {run_id} has not ended: run-now would finish it first" for run_id in preview.unfinished_run_ids
    ]
    rows = [*map(_format_account, preview.accounts), _format_sums(preview.accounts)]
    return "\n".join([*lines, "", text_table.format_table(_HEADER, rows, _TEXT_COLUMNS)])


def _format_account(account: run_now.AccountPreview) -> list[str]:
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


def _format_sums(accounts: Sequence[run_now.AccountPreview]) -> list[str]:
    return [
        "all accounts",
        str(sum(account.due_count for account in accounts)),
        str(sum(account.renewed_count for account in accounts)),
        money.format_cents(sum(account.total_cents for account in accounts)),
        money.format_cents(sum(account.voucher_cents for account in accounts)),
        money.format_cents(sum(account.balance_cents for account in accounts)),
        str(sum(account.refused_count for account in accounts)),
        str(sum(account.expired_count for account in accounts)),
        str(sum(account.released_count for account in accounts)),
        "",
    ]
