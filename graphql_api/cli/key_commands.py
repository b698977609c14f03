"""`renewals api-key` and `operator-key`: create API keys."""

from typing import TYPE_CHECKING, Annotated

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap
from renewals.domain import model

if TYPE_CHECKING:
    from renewals.operators import api_keys

_OPTIONS = {"input.accountId": "ACCOUNT", "input.name": "--name", "input.role": "--role"}
"""The arguments and options of `renewals api-key`, by the field of the mutation's input."""


def api_key(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account id.")],
    role: Annotated[
        model.Role,
        typer.Option(
            help="VIEWER is read-only; CALENDAR opens only the calendar feed. For OPERATOR, use operator-key.",
            case_sensitive=False,
        ),
    ] = model.Role.RENEWER,
    name: Annotated[str, typer.Option(help="Name of the key in lists. [default: none]")] = "",
) -> None:
    """Create an API key for an account. The key is shown only once."""
    from renewals.operators import api_keys

    _create_key(api_keys.ApiKeyCreate(account, role, name))


def operator_key(
    name: Annotated[str, typer.Argument(help="Name of the operator in the audit log.")],
) -> None:
    """Create a key for the operator API. The key is shown only once."""
    from renewals.domain import validation
    from renewals.operators import api_keys

    if problem := validation.name(name):
        raise typer.BadParameter(str(problem), param_hint="NAME")
    _create_key(api_keys.ApiKeyCreate(None, model.Role.OPERATOR, name))


def _create_key(request: "api_keys.ApiKeyCreate") -> None:
    from graphql_api.devserver import new_keys
    from renewals.db import connection as database
    from renewals.domain import errors

    url = options.required_database_url()

    async def create() -> str:
        async with database.connect(url):
            return await new_keys.create(request)

    try:
        typer.echo(bootstrap.run(create()))
    except errors.DomainError as error:
        output_language.fail(error, model.Language.EN, _OPTIONS)
