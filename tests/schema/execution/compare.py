"""The differences between two results of the same document."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError
from strawberry.types import ExecutionResult

_ADDRESS = re.compile(r"0x[0-9a-f]+", re.IGNORECASE)


def differences(expected: ExecutionResult, found: ExecutionResult, *, waited: bool) -> list[str]:
    """Return the differences. If results were awaited, the order of errors depends on timing.

    Timing also determines which errors are reported below a null, because the first one suppresses the later ones.
    """
    data = [_text(answer.data) for answer in (expected, found)]
    if data[0] != data[1]:
        return [
            f"data: {data[0]}",
            f" not: {data[1]}",
            f"errors: {expected.errors}",
            f"   not: {found.errors}",
        ]
    errors = [[_error(error) for error in answer.errors or ()] for answer in (expected, found)]
    if errors[0] == errors[1] or (waited and _agree(expected.data, *errors)):
        return []
    return [f"errors: {errors[0]}", f"   not: {errors[1]}"]


def _agree(data: Any, expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> bool:
    by_place = [_by_place(data, errors) for errors in (expected, found)]
    if by_place[0].keys() != by_place[1].keys():
        return False
    return all(
        by_place[0][place] == by_place[1][place] or len(place) < _shortest(by_place, place)
        for place in by_place[0]
    )


def _shortest(by_place: Sequence[Mapping[tuple[Any, ...], Counter[str]]], place: tuple[Any, ...]) -> int:
    """Return the length of the shortest path of the errors below a null."""
    return min(len(json.loads(text)["path"] or ()) for counted in by_place for text in counted[place])


def _by_place(data: Any, errors: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], Counter[str]]:
    """Return the errors by the place that is null because of them."""
    found: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for error in errors:
        place, value = [], data
        for key in error["path"] or ():
            if value is None:
                break
            value = value[key]
            place.append(key)
        found[tuple(place)][_text(error)] += 1
    return found


def _error(error: GraphQLError) -> dict[str, Any]:
    return {
        "message": _ADDRESS.sub("0x", error.message),
        "path": error.path,
        "locations": error.formatted.get("locations"),
        "extensions": error.extensions,
        "causes": _causes(error.original_error),
    }


def _causes(error: BaseException | None) -> list[str]:
    """Return the types of the exceptions that caused an error, as the log shows them."""
    found = []
    while error is not None:
        found.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return found


def _text(value: Any) -> str:
    return _ADDRESS.sub("0x", json.dumps(value, default=repr))
