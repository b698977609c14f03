"""The output of commands with `--json`. The keys of the objects are part of the public contract (docs/cli.md).

Amounts are strings with two decimals, instants are ISO 8601 in UTC, dates are ISO 8601.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import orjson

from renewals import integrity
from renewals.auto_renewal import attempts
from renewals.db.models import RenewalRun
from renewals.domain import money
from renewals.domain.messages import Message
from renewals.forecasts import simulation
from renewals.operators import run_now
from renewals.webhooks import status


def dump(value: Mapping[str, object]) -> str:
    """Return an object as indented JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def run_as_dict(run: RenewalRun, parked: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return a run and its parked accounts."""
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


def attempts_as_dict(attempts: Sequence[attempts.Attempt], count_max: int) -> dict[str, object]:
    """Return at most `count_max` attempts of a run, and whether there are more."""
    return {
        "attempts": [
            {
                "accountId": attempt.account_id,
                "instanceId": attempt.instance_id,
                "succeeded": attempt.code is None,
                "price": _amount(attempt.price_cents),
                "code": attempt.code,
                "message": None if attempt.message is None else str(attempt.message),
            }
            for attempt in attempts[:count_max]
        ],
        "hasMore": len(attempts) > count_max,
    }


def preview_as_dict(preview: run_now.RunPreview) -> dict[str, object]:
    """Return the preview of a run by account, and the unfinished runs that the run would finish first."""
    return {
        "at": _instant(preview.at),
        "unfinishedRunIds": list(preview.unfinished_run_ids),
        "accounts": [
            {
                "accountId": account.account_id,
                "dueCount": account.due_count,
                "renewedCount": account.renewed_count,
                "total": money.format_cents(account.total_cents),
                "voucherTotal": money.format_cents(account.voucher_cents),
                "balanceTotal": money.format_cents(account.balance_cents),
                "refusedCount": account.refused_count,
                "refusals": [
                    {"code": str(code), "count": count}
                    for code, count in sorted(account.refusal_counts.items())
                ],
                "expiredCount": account.expired_count,
                "releasedCount": account.released_count,
                "error": account.error,
            }
            for account in preview.accounts
        ],
    }


def forecast_as_dict(account_id: str, result: simulation.Forecast) -> dict[str, object]:
    """Return an account's forecast with all of its days, including days without due instances."""
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
            for day in result.days
        ],
        "total": money.format_cents(result.total_cents),
        "topUpNeeded": money.format_cents(result.required_top_up_cents),
        "firstShortfallOn": result.first_shortfall_on and result.first_shortfall_on.isoformat(),
    }


def endpoint_as_dict(endpoint: status.EndpointStatus) -> dict[str, object]:
    """Return an endpoint and its state, but not its secrets or the bodies of its responses."""
    return {
        "id": str(endpoint.id),
        "accountId": endpoint.account_id,
        "url": endpoint.url,
        "eventTypes": list(endpoint.event_types),
        "enabled": endpoint.enabled,
        "disabledReason": _sentence(endpoint.disabled_reason),
        "pausedUntil": _instant(endpoint.paused_until),
        "deliveredCount": endpoint.delivered_count,
        "behindCount": endpoint.behind_count,
        "waitingCount": endpoint.waiting_count,
        "parkedCount": endpoint.parked_count,
        "lastDeliveredAt": _instant(endpoint.last_delivered_at),
        "lastAttemptedAt": _instant(endpoint.last_attempted_at),
        "lastStatus": endpoint.last_status,
        "lastError": _sentence(endpoint.last_error),
    }


def rules_as_dict(violations_by_rule: Mapping[str, Sequence[integrity.Violation]]) -> dict[str, object]:
    """Return each integrity rule, whether it holds, and the first rows that break it."""
    return {
        "addsUp": not any(violations_by_rule.values()),
        "rules": [
            {"rule": rule, "holds": not violations, "rows": list(map(_row_as_dict, violations))}
            for rule, violations in violations_by_rule.items()
        ],
    }


def _row_as_dict(violation: integrity.Violation) -> dict[str, object]:
    """Return a row with names and values as in the API: `balance` with the text 10.50 for `balance_cents` with 1050."""
    return {_camel_case(name): _value(name, value) for name, value in violation.items()}


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
            return [_value(name, item) for item in value]
        case _:
            return str(value)


def _instant(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(dt.UTC).isoformat()


def _amount(cents: int | None) -> str | None:
    return None if cents is None else money.format_cents(cents)


def _sentence(message: Message | None) -> str | None:
    """Return a message in English, because JSON does not depend on the language."""
    return None if message is None else str(message)
