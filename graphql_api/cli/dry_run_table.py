"""The preview of a run for the command line: a table with one row per account."""

from collections.abc import Sequence

from graphql_api.cli import text_table
from renewals.domain import money
from renewals.domain.messages import LIST_SEPARATOR, Message
from renewals.domain.model import Language
from renewals.i18n import labels
from renewals.i18n.catalogs import translate
from renewals.operators import run_now

_HEADER = (
    Message("account"),
    Message("due"),
    Message("renewed"),
    Message("total"),
    Message("vouchers"),
    Message("balance"),
    Message("refused"),
    Message("expired"),
    Message("released"),
    Message("why refused"),
)
_TEXT_COLUMNS = frozenset({0, 9})
_TITLE = Message("dry run at {at}: nothing is written")
_UNFINISHED = Message("run {id} has not ended; run-now would finish it first")
_ALL_ACCOUNTS = Message("all accounts")


def format_preview(preview: run_now.RunPreview, language: Language) -> str:
    """Return the preview as text: one row for each account, and the sums."""
    lines = [translate(_TITLE.fill(at=preview.at.isoformat()), language)]
    lines += [translate(_UNFINISHED.fill(id=run_id), language) for run_id in preview.unfinished_run_ids]
    header = [translate(label, language) for label in _HEADER]
    rows = [
        *(_format_account(account, language) for account in preview.accounts),
        [translate(_ALL_ACCOUNTS, language), *_format_sums(preview.accounts)],
    ]
    return "\n".join([*lines, "", text_table.format_table(header, rows, _TEXT_COLUMNS)])


def _format_account(account: run_now.AccountPreview, language: Language) -> list[str]:
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
        _format_reasons(account, language),
    ]


def _format_reasons(account: run_now.AccountPreview, language: Language) -> str:
    """Return the error that would park the account, or the number of refused instances for each reason."""
    if account.error:
        return translate(Message("parked: {error}", error=account.error), language)
    reasons = [
        f"{translate(labels.REFUSAL_CODES[code], language)} {count}"
        for code, count in sorted(account.refusal_counts.items())
    ]
    return translate(LIST_SEPARATOR, language).join(reasons)


def _format_sums(accounts: Sequence[run_now.AccountPreview]) -> list[str]:
    return [
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
