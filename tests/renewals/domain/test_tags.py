"""Tags of an instance: the effects of a change, and its bounds (rule 36)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.domain import tags
from renewals.domain.errors import InvalidInputError, RefusalCode
from renewals.domain.tags import TagChange

KEYS = st.sampled_from(["env", "team", "cost", "网络", "Env"])
TAGS = st.dictionaries(KEYS, st.text(max_size=5), max_size=5)


@given(TAGS, TAGS, st.sets(KEYS))
def test_a_change_of_tags_sets_and_removes_the_given_keys_and_keeps_the_others(
    stored: dict[str, str], new: dict[str, str], removed: set[str]
) -> None:
    change = TagChange(list(new.items()), sorted(removed - new.keys()))
    tagged = change.apply_to(stored)
    for key in {*stored, *new, *removed}:
        expected = new.get(key, None if key in removed else stored.get(key))
        assert tagged.get(key) == expected
    assert change.apply_to(tagged) == tagged, "the same change again changes nothing"


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (TagChange(), "set", "must have at least one tag if removeKeys is empty"),
        (TagChange([(f"k{n}", "") for n in range(21)]), "set", "must have at most 20 items, not 21"),
        (TagChange([("a", "1"), ("a", "2")]), "set", "has the key 'a' more than once"),
        (TagChange([("", "1")]), "set", "key '': must have 1 to 64 characters, not 0"),
        (TagChange([("k" * 65, "1")]), "set", f"key '{'k' * 65}': must have 1 to 64 characters, not 65"),
        (
            TagChange([("a\0", "1")]),
            "set",
            "key 'a\\x00': must not contain control characters or line separators",
        ),
        (TagChange([("a", "v" * 129)]), "set", "value of 'a': must have at most 128 characters, not 129"),
        (
            TagChange([("a", "\n")]),
            "set",
            "value of 'a': must not contain control characters or line separators",
        ),
        (TagChange([("a", "1")], ["a"]), "removeKeys.0", "'a' is also among the tags to set"),
        (TagChange([], ["a", ""]), "removeKeys.1", "must have 1 to 64 characters, not 0"),
        (TagChange([], [f"k{n}" for n in range(21)]), "removeKeys", "must have at most 20 items, not 21"),
    ],
)
def test_the_refusal_of_an_invalid_change_of_tags_names_the_argument(
    change: TagChange, field: str, message: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        change.check()
    assert refused.value.field == f"input.{field}"
    assert message in str(refused.value)


def test_the_most_tags_with_the_longest_keys_and_values_are_accepted() -> None:
    TagChange([(f"{number:064}", "v" * 128) for number in range(20)], ["x"] * 1).check()


def test_an_instance_with_too_many_tags_is_refused() -> None:
    full = {f"k{number}": "" for number in range(20)}
    assert tags.refuse_excess("i-1", full) is None
    refusal = tags.refuse_excess("i-1", {**full, "one more": ""})
    assert refusal is not None
    assert (refusal.code, refusal.instance_id) == (RefusalCode.TOO_MANY_TAGS, "i-1")
    assert "21 tags" in str(refusal.message)
