"""A document that exceeds a limit of its text is refused with that limit."""

import pytest

from schema.limits import document_text, limit_errors

CHARACTERS_MAX, TOKENS_MAX = 20_000, 2_000


@pytest.mark.parametrize(
    ("token", "maximum"),
    [
        ('"" ', document_text.VALUES_MAX),
        ("1 ", document_text.VALUES_MAX),
        ("a ", TOKENS_MAX),
        ("# \n", TOKENS_MAX),
    ],
)
def test_the_refusal_of_too_many_tokens_names_the_maximum_of_their_kind(token: str, maximum: int) -> None:
    assert document_text.check_text(token * maximum, CHARACTERS_MAX, TOKENS_MAX) == maximum
    with pytest.raises(limit_errors.LimitExceededError) as refused:
        document_text.check_text(token * (maximum + 1), CHARACTERS_MAX, TOKENS_MAX)
    assert refused.value.extensions == {"code": "DOCUMENT_TOO_LARGE", "maximum": maximum}
    assert "2,000 names and punctuators, 2,000 comments, 1,000 strings and 1,000 numbers" in str(
        refused.value
    )
