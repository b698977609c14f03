"""`python -m graphql_api` is the command line."""

from graphql_api import cli

cli.app()
