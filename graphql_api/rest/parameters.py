"""Arguments of requests outside GraphQL, and the response to an invalid one."""

from graphql import GraphQLError
from starlette.responses import Response

from graphql_api import errors as graphql_api_errors
from graphql_api import responses
from renewals.domain import errors, validation
from renewals.domain.messages import Message
from renewals.domain.model import Language
from renewals.i18n import catalogs
from schema.shared import errors as shared_errors

_REASON_CHARACTERS_MAX = 1_000
"""The maximum length of a reason, which may list all columns of an export. The rest is cut off."""


def parse_language(value: object) -> Language | None:
    """Return the language of the argument `lang`, or None if `value` is None. Raises InvalidInputError."""
    if value is None:
        return None
    if not isinstance(value, str) or value not in tuple(Language):
        reason = Message("must be one of {values}", values=tuple(Language))
        raise errors.InvalidInputError("lang", reason)
    return Language(value)


def invalid_input(problem: errors.InvalidInputError) -> Response:
    """Return 400 INVALID_INPUT with the field of an invalid argument."""
    truncated = errors.InvalidInputError(
        validation.truncate(problem.field, graphql_api_errors.SHOWN_CHARACTERS_MAX),
        Message(
            "{reason}",
            reason=validation.truncate(
                catalogs.translate_for_request(problem.reason), _REASON_CHARACTERS_MAX
            ),
        ),
    )
    error = GraphQLError(str(truncated), original_error=truncated)
    shared_errors.mask_error(error)
    return responses.error_response(400, error.message, error.extensions)
