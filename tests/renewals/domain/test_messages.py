"""Messages: English texts with typed arguments, equal by value, stored without loss."""

import datetime as dt
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.domain import stored_messages
from renewals.domain.messages import Argument, CountedMessage, Message
from renewals.domain.money import Cents

DATE = dt.date(2027, 1, 31)


def test_a_message_formats_amounts_dates_lists_and_nested_messages() -> None:
    message = Message(
        "{total} by {date} for {ids}: {reason}",
        total=Cents(51290),
        date=DATE,
        ids=("i-1", "i-2"),
        reason=Message("at least {months} months", months=3),
    )
    assert str(message) == "512.90 by 2027-01-31 for i-1, i-2: at least 3 months"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 instances"), (1, "1 instance"), (2, "2 instances"), (10_000, "10000 instances")],
)
def test_the_count_of_a_message_selects_singular_or_plural(count: int, text: str) -> None:
    assert str(CountedMessage("{count} instance", "{count} instances", count=count)) == text


def test_braces_of_an_argument_are_not_placeholders() -> None:
    assert str(Message("unknown column {name!r}", name="{0.__class__}")) == "unknown column '{0.__class__}'"


def test_messages_are_equal_by_text_and_arguments() -> None:
    message = Message("{months} months", months=3)
    assert message == Message("{months} months", months=3)
    assert hash(message) == hash(Message("{months} months", months=3))
    assert message != Message("{months} months", months=4)
    assert message != "3 months"


TEXTS = st.text("ab{}字 ", max_size=8)
ARGUMENTS: st.SearchStrategy[Argument] = st.recursive(
    TEXTS | st.integers() | st.dates() | st.integers().map(Cents),
    lambda inner: (
        st.dictionaries(st.sampled_from("ab"), inner).map(lambda arguments: Message("{a} {b}", **arguments))
        | st.lists(TEXTS, max_size=3).map(tuple)
    ),
)


@given(st.dictionaries(st.sampled_from(["a", "b"]), ARGUMENTS), st.integers(0, 3))
def test_a_restored_message_equals_the_stored_message_with_the_types_of_its_arguments(
    arguments: dict[str, Argument], count: int
) -> None:
    for message in (
        Message("{a} {b}", **arguments),
        CountedMessage("{count} {a}", "{count} {a}s", count=count, **arguments),
    ):
        for copy in (
            stored_messages.from_json(stored_messages.to_json(message)),
            pickle.loads(pickle.dumps(message)),
        ):
            assert copy == message and type(copy) is type(message)
            assert list(map(type, copy.arguments.values())) == list(map(type, message.arguments.values()))
