"""The limits on the characters, tokens and nesting of a document, checked in one pass before the text is parsed."""

import re

from renewals.domain.messages import Message
from schema.limits.limit_errors import LimitExceededError, too_deep

NESTING_MAX = 100
"""Maximum nesting of selections, fragments, lists and objects. Much deeper nesting exhausts the stack."""
VALUES_MAX = 1_000
"""Maximum number of strings, and of numbers, in a document. Values in variables are parsed much faster."""
WORD_CHARACTERS_MAX = 100
"""Maximum number of characters of a name or a number."""

# The pattern also matches an unclosed string, so that the scan takes linear time.
_TOKENS = re.compile(
    r"""
      (?P<comment>\#[^\n\r]*+)
    | (?P<string>\"{3}(?:[^"\\]|\\(?:\"{3})?+|"(?!""))*+(?:\"{3})?+
      | "(?:[^"\\\n\r]|\\.)*+"?+)
    | (?P<number>-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)
    | (?P<syntax>[_A-Za-z][_0-9A-Za-z]*+|\.{3}|[!$&()/:=@\[\]{|}])
    """,
    re.VERBOSE | re.DOTALL,
)

_OPENING, _CLOSING = frozenset("{[("), frozenset("}])")


def check_text(query: str, characters_max: int, tokens_max: int) -> int:
    """Return the number of tokens, comments and values included.

    Raises LimitExceededError if the text exceeds one of the limits.
    """
    if len(query) > characters_max:
        raise LimitExceededError(
            "DOCUMENT_TOO_LARGE",
            Message(
                "the document must have at most {count:,} characters: send values as variables",
                count=characters_max,
            ),
            maximum=characters_max,
        )
    maximum = {"syntax": tokens_max, "comment": tokens_max, "number": VALUES_MAX, "string": VALUES_MAX}
    remaining = dict(maximum)
    nesting = 0
    for match in _TOKENS.finditer(query):
        kind, token = match.lastgroup, match.group()
        if kind is None:
            continue
        remaining[kind] -= 1
        nesting += (token in _OPENING) - (token in _CLOSING)
        if remaining[kind] < 0:
            raise _too_many_tokens(tokens_max, maximum[kind])
        if nesting > NESTING_MAX:
            raise too_deep(NESTING_MAX)
        if kind in ("number", "syntax") and len(token) > WORD_CHARACTERS_MAX:
            message = Message(
                "a name or a number must have at most {count} characters", count=WORD_CHARACTERS_MAX
            )
            raise LimitExceededError("DOCUMENT_TOO_LARGE", message, maximum=WORD_CHARACTERS_MAX)
    return sum(maximum.values()) - sum(remaining.values())


def _too_many_tokens(tokens_max: int, maximum: int) -> LimitExceededError:
    """Return the error for a document with more than `maximum` tokens of one kind."""
    return LimitExceededError(
        "DOCUMENT_TOO_LARGE",
        Message(
            "the document must have at most {count:,} names and punctuators, {count:,} comments, "
            "{values:,} strings and {values:,} numbers: send values as variables",
            count=tokens_max,
            values=VALUES_MAX,
        ),
        maximum=maximum,
    )
