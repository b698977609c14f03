"""What a request outside GraphQL says, and the answer where it cannot be understood."""

from graphql import GraphQLError
from starlette.responses import Response

from graphql_api import errors as graphql_api_errors
from graphql_api import responses
from renewals.domain import errors
from renewals.i18n import Language
from schema.shared import errors as shared_errors


def read_language(sent: object) -> Language:
    """Chinese, unless another language is asked for; raises InvalidInputError for one that nobody speaks here."""
    if sent is None:
        return Language.ZH
    if not isinstance(sent, str) or sent not in tuple(Language):
        raise errors.InvalidInputError("lang", f"must be one of {', '.join(Language)}")
    return Language(sent)


def refuse(refused: errors.InvalidInputError) -> Response:
    """The answer to an argument that is malformed or out of bounds: INVALID_INPUT with its field."""
    shown = errors.InvalidInputError(
        graphql_api_errors.truncate(refused.field), graphql_api_errors.truncate(refused.reason)
    )
    error = GraphQLError(str(shown), original_error=shown)
    shared_errors.mask_error(error)
    return responses.error_response(400, error.message, error.extensions)
