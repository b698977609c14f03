"""The operators' executable schema; `operator.graphql` is its printed form."""

from schema.execution import executor
from schema.execution.schema import RenewalSchema, build_schema
from schema.operator import errors, mutation, query, scalars


def build(query_type: type, schema_class: type[RenewalSchema]) -> RenewalSchema:
    """Build a schema with the operators' mutations."""
    return build_schema(
        executor.Executor,
        schema_class=schema_class,
        query=query_type,
        mutation=mutation.Mutation,
        subscription=None,
        scalar_map=scalars.SCALARS,
        exception_handlers=errors.HANDLERS,
    )


schema = build(query.Query, RenewalSchema)


def sdl() -> str:
    """Return the printed schema."""
    return schema.as_str() + "\n"
