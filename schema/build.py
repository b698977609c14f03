"""The executable schema, and its printed form that is kept in `schema.graphql`."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from schema import executor, mutations, queries, refusals, rows, scalars

_DOCUMENTS_CACHED = 200


class OperationNamed(SchemaExtension):
    """Refuses a document of several operations that names none of them; Strawberry would run the first."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        definitions = context.graphql_document.definitions
        found = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if len(found) > 1 and context._provided_operation_name is None:
            error = GraphQLError("Name one of the document's operations in operationName.", found)
            context.pre_execution_errors = [*(context.pre_execution_errors or ()), error]
        yield


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
    config=StrawberryConfig(scalar_map=scalars.SCALARS, default_resolver=rows.read),
    execution_context_class=executor.Executor,
    exception_handlers=refusals.HANDLERS,
    extensions=[
        lambda: ParserCache(maxsize=_DOCUMENTS_CACHED),
        lambda: ValidationCache(maxsize=_DOCUMENTS_CACHED),
        OperationNamed,  # adds to what the validation found, so after it
    ],
)


def sdl() -> str:
    """The schema as text."""
    return schema.as_str() + "\n"
