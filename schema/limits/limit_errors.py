"""The error of a request that exceeds a limit."""

from graphql import GraphQLError

from renewals.domain.messages import Message


class LimitExceededError(GraphQLError):
    """A request that exceeds a limit. `extensions` has the code and, for a numeric limit, `maximum`.

    `reading` is the cost of reading the document, in the unit of all costs.
    """

    def __init__(self, code: str, reason: Message, **numbers: int) -> None:
        super().__init__(str(reason), extensions={"code": code, **numbers})
        self.reason = reason
        self.reading = 0


def too_many(code: str, template: Message, maximum: int) -> LimitExceededError:
    """Return the error for a document that exceeds a maximum number. `maximum` fills `count` in the template."""
    message = template.fill(count=maximum)
    return LimitExceededError(f"TOO_MANY_{code}", message, maximum=maximum)


def too_deep(maximum: int) -> LimitExceededError:
    """Return the error for a document that is nested too deeply."""
    message = Message("the document must be nested at most {count} levels deep", count=maximum)
    return LimitExceededError("TOO_DEEP", message, maximum=maximum)
