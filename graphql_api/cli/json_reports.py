"""What the commands print with `--json`: the keys are part of the contract (docs/cli.md).

Amounts are strings with two decimals, instants ISO 8601 in UTC, dates ISO 8601.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from renewals import integrity
from renewals.auto_renewal import runs
from renewals.domain import money
from renewals.forecasts import forecast
from renewals.operators import run_now
from renewals.webhooks import status


def dump(value: Mapping[str, Any]) -> str:
    """Return an object as JSON, indented for people who read it."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def run_as_dict(run: runs.Run, parked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a run and the accounts that are parked in it."""
    return {
        "id": run.id,
        "trigger": str(run.trigger),
        "scheduledAt": _instant(run.scheduled_at),
        "startedAt": _instant(run.started_at),
        "endedAt": _instant(run.ended_at),
        "latenessSeconds": run.lateness.total_seconds(),
        "renewedCount": run.renewed_count,
        "refusedCount": run.refused_count,
        "skippedCount": run.skipped_count,
        "amount": money.format_cents(run.amount_cents),
        "parkedCount": run.parked_count or 0,
        "parkedAccounts": [{"accountId": account_id, "error": error} for account_id, error in parked],
        "brokenRules": run.broken_rules,
    }


def attempts_as_dict(attempts: Sequence[runs.Attempt], count: int) -> dict[str, Any]:
    """Return so many attempts of a run, and whether there are more."""
    return {
        "attempts": [
            {
                "accountId": attempt.account_id,
                "instanceId": attempt.instance_id,
                "succeeded": attempt.code is None,
                "price": _amount(attempt.price_cents),
                "code": attempt.code,
                "message": attempt.message,
            }
            for attempt in attempts[:count]
        ],
        "hasMore": len(attempts) > count,
    }


def preview_as_dict(preview: run_now.RunPreview) -> dict[str, Any]:
    """Return what a run would do with each account, and the runs that it would finish first."""
    return {
        "at": _instant(preview.at),
        "unfinishedRunIds": list(preview.unfinished_run_ids),
        "accounts": [
            {
                "accountId": each.account_id,
                "dueCount": each.due_count,
                "renewedCount": each.renewed_count,
                "total": money.format_cents(each.total_cents),
                "voucherTotal": money.format_cents(each.voucher_cents),
                "balanceTotal": money.format_cents(each.balance_cents),
                "refusedCount": each.refused_count,
                "refusals": [
                    {"code": str(code), "count": count} for code, count in sorted(each.refusal_counts.items())
                ],
                "expiredCount": each.expired_count,
                "releasedCount": each.released_count,
                "error": each.error,
            }
            for each in preview.accounts
        ],
    }


def forecast_as_dict(account_id: str, found: forecast.Forecast) -> dict[str, Any]:
    """Return an account's forecast with all of its days, those on which nothing is due as well."""
    return {
        "accountId": account_id,
        "days": [
            {
                "date": day.date.isoformat(),
                "dueCount": day.due_count,
                "total": money.format_cents(day.total_cents),
                "voucherTotal": money.format_cents(day.voucher_cents),
                "balanceTotal": money.format_cents(day.balance_cents),
                "balanceAfter": money.format_cents(day.balance_after_cents),
                "shortfall": money.format_cents(day.shortfall_cents),
                "atRiskInstanceIds": list(day.at_risk_ids),
            }
            for day in found.days
        ],
        "total": money.format_cents(found.total_cents),
        "topUpNeeded": money.format_cents(found.required_top_up_cents),
        "firstShortfallOn": found.first_shortfall_on and found.first_shortfall_on.isoformat(),
    }


def endpoint_as_dict(report: status.EndpointStatus) -> dict[str, Any]:
    """Return an endpoint and how it fares; never its secret or what its receiver answered."""
    return {
        "id": str(report.id),
        "accountId": report.account_id,
        "url": report.url,
        "eventTypes": list(report.event_types),
        "enabled": report.enabled,
        "disabledReason": report.disabled_reason,
        "pausedUntil": _instant(report.paused_until),
        "deliveredCount": report.delivered_count,
        "behindCount": report.behind_count,
        "waitingCount": report.waiting_count,
        "parkedCount": report.parked_count,
        "lastDeliveredAt": _instant(report.last_delivered_at),
        "lastAttemptedAt": _instant(report.last_attempted_at),
        "lastStatus": report.last_status,
        "lastError": report.last_error,
    }


def rules_as_dict(found: Mapping[str, Sequence[integrity.Violation]]) -> dict[str, Any]:
    """Return each integrity rule, whether it holds, and the first rows that break it."""
    return {
        "addsUp": not any(found.values()),
        "rules": [
            {"rule": rule, "holds": not damages, "rows": [_row_as_dict(damage) for damage in damages]}
            for rule, damages in found.items()
        ],
    }


def _row_as_dict(damage: integrity.Violation) -> dict[str, Any]:
    """Return a row with the names of the API: `balance_cents` is `balance`, an amount."""
    return {_camel_case(name): _value(name, value) for name, value in damage.items()}


def _camel_case(name: str) -> str:
    first, *others = name.removesuffix("_cents").split("_")
    return first + "".join(map(str.capitalize, others))


def _value(name: str, value: object) -> object:
    match value:
        case int() if name.endswith("_cents"):
            return money.format_cents(value)
        case dt.datetime():
            return _instant(value)
        case None | bool() | int() | str():
            return value
        case list() | tuple():
            return [_value(name, each) for each in value]
        case _:
            return str(value)


def _instant(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(dt.UTC).isoformat()


def _amount(cents: int | None) -> str | None:
    return None if cents is None else money.format_cents(cents)
