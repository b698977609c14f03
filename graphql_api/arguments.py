"""What a request outside GraphQL says, and the answer where it cannot be understood."""

from graphql import GraphQLError
from starlette.responses import Response

from graphql_api import answers, over_http
from renewals import errors
from renewals.words import Language
from schema import refusals


def read_language(sent: object) -> Language:
    """Chinese, unless another language is asked for; raises InvalidInput for one that nobody speaks here."""
    if sent is None:
        return Language.ZH
    if not isinstance(sent, str) or sent not in tuple(Language):
        raise errors.InvalidInput("lang", f"must be one of {', '.join(Language)}")
    return Language(sent)


def refuse(refused: errors.InvalidInput) -> Response:
    """The answer to an argument that is malformed or out of bounds: INVALID_INPUT with its field."""
    shown = errors.InvalidInput(over_http.cut(refused.field), over_http.cut(refused.reason))
    error = GraphQLError(str(shown), original_error=shown)
    refusals.report(error)
    return answers.refuse(400, error.message, error.extensions)
