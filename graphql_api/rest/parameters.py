"""Arguments of requests outside GraphQL, and the response to an invalid one."""

from graphql import GraphQLError
from starlette.responses import Response

from graphql_api import errors as graphql_api_errors
from graphql_api import responses
from renewals.domain import errors
from renewals.domain.model import Language
from schema.shared import errors as shared_errors


def parse_language(value: object) -> Language | None:
    """Return the language of the argument `lang`, or None without it. Raises InvalidInputError."""
    if value is None:
        return None
    if not isinstance(value, str) or value not in tuple(Language):
        raise errors.InvalidInputError("lang", f"must be one of {', '.join(Language)}")
    return Language(value)


def invalid_input(problem: errors.InvalidInputError) -> Response:
    """Return 400 INVALID_INPUT with the field of an invalid argument."""
    truncated = errors.InvalidInputError(
        graphql_api_errors.truncate(problem.field), graphql_api_errors.truncate(problem.reason)
    )
    error = GraphQLError(str(truncated), original_error=truncated)
    shared_errors.mask_error(error)
    return responses.error_response(400, error.message, error.extensions)
