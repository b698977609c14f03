"""The executable schema, and its printed form that is kept in `schema.graphql`."""

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from schema import mutations, queries, refusals, scalars

_DOCUMENTS_CACHED = 200


class RenewalSchema(strawberry.Schema):
    """A schema whose every error is reported by `refusals.report`."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        for error in errors:
            refusals.report(error)


schema = RenewalSchema(
    query=queries.Query,
    mutation=mutations.Mutation,
    config=StrawberryConfig(scalar_map=scalars.SCALARS),
    exception_handlers=refusals.HANDLERS,
    extensions=[
        lambda: ParserCache(maxsize=_DOCUMENTS_CACHED),
        lambda: ValidationCache(maxsize=_DOCUMENTS_CACHED),
    ],
)


def sdl() -> str:
    """The schema as text."""
    return schema.as_str() + "\n"
