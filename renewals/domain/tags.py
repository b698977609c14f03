"""Tags of an instance: at most 20 keys, each with one value (rule 36)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from renewals.domain import validation
from renewals.domain.errors import Refusal, RefusalCode
from renewals.domain.messages import Message

TAGS_MAX = 20
KEY_LENGTH_MAX = 64
VALUE_LENGTH_MAX = 128

Tags = Mapping[str, str]
"""The values of an instance's tags by key."""


def find_key_problem(key: str) -> Message | None:
    """Return the problem with the key of a tag, or None."""
    return validation.text(key, 1, KEY_LENGTH_MAX)


def find_value_problem(value: str) -> Message | None:
    """Return the problem with the value of a tag, or None."""
    return validation.text(value, 0, VALUE_LENGTH_MAX)


def find_problem(pairs: Sequence[tuple[str, str]]) -> Message | None:
    """Return the first problem with the tags of an instance, given as pairs of key and value, or None."""
    if len(pairs) > TAGS_MAX:
        return validation.at_most_items(TAGS_MAX, pairs)
    repeated = validation.find_repeated(key for key, _ in pairs)
    if repeated is not None:
        return Message("has the key {key!r} more than once", key=repeated)
    for key, value in pairs:
        if problem := find_key_problem(key):
            return Message("key {key!r}: {problem}", key=key, problem=problem)
        if problem := find_value_problem(value):
            return Message("value of {key!r}: {problem}", key=key, problem=problem)
    return None


@dataclass(frozen=True, slots=True)
class TagChange:
    """Tags that are added or replaced by key, and keys that are removed."""

    tags: Sequence[tuple[str, str]] = ()
    removed_keys: Sequence[str] = ()

    def check(self) -> None:
        """Raise InvalidInputError for the first problem with the arguments `set` and `removeKeys`."""
        for path, problem in self._problems():
            validation.raise_if_invalid(path, problem)

    def apply_to(self, tags: Tags) -> Tags:
        """Return the tags of an instance after the change."""
        removed = set(self.removed_keys)
        return {key: value for key, value in tags.items() if key not in removed} | dict(self.tags)

    def _problems(self) -> Iterator[tuple[str, Message | None]]:
        if not self.tags and not self.removed_keys:
            yield "set", Message("must have at least one tag if removeKeys is empty")
        yield "set", find_problem(self.tags)
        if len(self.removed_keys) > TAGS_MAX:
            yield "removeKeys", validation.at_most_items(TAGS_MAX, self.removed_keys)
        set_keys = {key for key, _ in self.tags}
        for number, key in enumerate(self.removed_keys):
            yield f"removeKeys.{number}", find_key_problem(key)
            if key in set_keys:
                yield f"removeKeys.{number}", Message("{key!r} is also among the tags to set", key=key)


def refuse_excess(instance_id: str, tags: Tags) -> Refusal | None:
    """Return the refusal of an instance that would have too many tags, or None."""
    if len(tags) <= TAGS_MAX:
        return None
    message = Message(
        "It would have {count} tags, but at most {maximum} are allowed. Remove some of its tags first.",
        count=len(tags),
        maximum=TAGS_MAX,
    )
    return Refusal(instance_id, RefusalCode.TOO_MANY_TAGS, message)
