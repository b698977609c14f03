"""No use case uses the process's clock for an account without reading the account's test clock (rule 37)."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "renewals"
OWN = re.compile(r"account\.instant\(\s*(?:call\.)?clock\(\)")
CALL = re.compile(r"(?<!\w)(?:call\.|self\._|batch\.)?clock\(\)")

IN_REAL_TIME = {
    "accounts/api_keys.py": "keys are valid in real time",
    "alerts/balance_alerts.py": "find_changed_accounts leaves test accounts out",
    "auto_renewal/finish_runs.py": "a run ends in real time",
    "auto_renewal/renew.py": "the worker's runs, which leave test accounts out",
    "health/backlog.py": "metrics of the worker",
    "health/checks.py": "health of the worker",
    "imports/accounts.py": "`created_at` and ledger entries are of the account's instant where they are written",
    "imports/instances.py": "registration takes the instant of each account",
    "imports/vouchers.py": "the instant of each account is taken where a row is decided",
    "imports/batches.py": "the audit log",
    "operators/accounts.py": "the ledger, price holds and new accounts take the instant where they are written",
    "operators/api_keys.py": "keys are valid in real time",
    "operators/audit_log.py": "the audit log",
    "operators/instances.py": "of several accounts: their events take the instant of each",
    "operators/run_now.py": "a run leaves test accounts out",
    "operators/runs.py": "a run leaves test accounts out",
    "operators/webhooks.py": "endpoints are in real time",
    "test_clocks/advance.py": "the progress of a move is in real time",
    "webhooks/dispatcher.py": "deliveries are in real time",
    "webhooks/endpoint_tests.py": "deliveries are in real time",
    "webhooks/endpoints.py": "endpoints are in real time",
    "webhooks/replays.py": "deliveries are in real time",
    "webhooks/sender.py": "deliveries are in real time",
}
"""The modules that use the process's clock for another purpose, and that purpose."""


def test_only_the_listed_modules_use_the_process_clock_instead_of_the_test_clock() -> None:
    texts = {
        str(path.relative_to(PACKAGE)): OWN.sub("", path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }
    modules = {name for name, text in texts.items() if CALL.search(text)}
    assert modules == set(IN_REAL_TIME), (
        "use account.instant(clock()) under the account's lock, or list the module with its purpose"
    )
