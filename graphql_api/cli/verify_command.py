"""`renewals verify`: check the integrity rules."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap

if TYPE_CHECKING:
    from renewals import integrity


def verify(as_json: options.AsJson = False, lang: output_language.Lang = None) -> None:
    """Check that the stored data obey the integrity rules.

    The rules cover money, orders, refunds, instances, runs, events, webhooks and the audit log.
    The exit code is 1 if a rule is broken.
    """
    from graphql_api.cli import json_reports, run_report
    from renewals import integrity
    from renewals.db import connection as database

    url = options.required_database_url()
    language = output_language.choose(lang)

    def show(rule: str, violations: "Sequence[integrity.Violation]") -> None:
        if not as_json:
            options.print_lines(run_report.format_rule(rule, violations, language))

    async def check() -> bool:
        async with database.connect(url):
            violations_by_rule = await integrity.check_invariants(show)
        if as_json:
            typer.echo(json_reports.dump(json_reports.rules_as_dict(violations_by_rule)))
        return any(violations_by_rule.values())

    if bootstrap.run(check()):
        raise typer.Exit(1)
