"""`renewals schema` and `graphiql-assets`: print the schemas, and download GraphiQL's files."""

from pathlib import Path
from typing import Annotated

import typer

from graphql_api.server import bootstrap

SDL_PATH = Path(__file__).parents[2] / "schema.graphql"
OPERATOR_SDL_PATH = SDL_PATH.with_name("operator.graphql")


def schema(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Check that schema.graphql and operator.graphql match the code; exit with code 1 if one does not.",
        ),
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write schema.graphql and operator.graphql.")
    ] = False,
    is_for_operators: Annotated[
        bool, typer.Option("--operator", help="Print the schema of the operator API.")
    ] = False,
    is_subgraph: Annotated[
        bool, typer.Option("--federation", help="Print the schema as a subgraph of Apollo Federation 2.")
    ] = False,
) -> None:
    """Print the GraphQL schema. The options --check and --write work only in the repository."""
    if check and write:
        raise typer.BadParameter("cannot be combined with --check", param_hint="--write")
    if (check or write) and not SDL_PATH.with_name("pyproject.toml").is_file():
        bootstrap.fail(
            f"--check and --write work only in the repository, and {SDL_PATH.parent} is not the repository: "
            "run `renewals schema > FILE` instead"
        )
    if is_subgraph:
        if check or write:
            raise typer.BadParameter("cannot be combined with --check or --write", param_hint="--federation")
        _print_subgraph(is_for_operators=is_for_operators)
        return
    from schema.customer import schema as customer_schema
    from schema.operator import schema as operator_schema

    texts = {SDL_PATH: customer_schema.sdl(), OPERATOR_SDL_PATH: operator_schema.sdl()}
    if write:
        for path, sdl in texts.items():
            path.write_text(sdl, encoding="utf-8")
    elif check:
        for path, sdl in texts.items():
            if not path.exists() or path.read_text(encoding="utf-8") != sdl:
                bootstrap.fail(
                    f"{path.name} is missing or differs from the code: run `renewals schema --write`"
                )
    else:
        typer.echo(texts[OPERATOR_SDL_PATH if is_for_operators else SDL_PATH], nl=False)


def _print_subgraph(*, is_for_operators: bool) -> None:
    from schema.customer import federation as customer_federation
    from schema.operator import federation as operator_federation

    subgraph = operator_federation.build() if is_for_operators else customer_federation.build()
    typer.echo(subgraph.as_str())


def graphiql_assets() -> None:
    """Download GraphiQL's files for use without a network."""
    from graphql_api.graphql import graphiql

    try:
        typer.echo(f"{graphiql.fetch()} files written to {graphiql.FOLDER}")
    except graphiql.GraphiQLError as error:
        bootstrap.fail(str(error))
