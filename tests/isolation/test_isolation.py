"""No field of either schema, and no other endpoint, shows or changes data of another account.

Every field with an argument that names an object is called with another account's objects and with ones that
do not exist. Both responses must be equal, must not contain data of the other account, and must not change it.
"""

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import pytest
from graphql import build_schema

from graphql_api.rest import export_arguments
from renewals.exports import formats
from tests.isolation import names, stage, walk
from tests.isolation.asking import CUSTOMERS, OPERATORS, Scene, Tried, ask
from tests.isolation.names import THEIRS
from tests.isolation.stage import Stock
from tests.support.graphql_client import URL
from tests.support.operator_client import OPERATOR_URL, Operator


@dataclasses.dataclass
class Figures:
    """The counts of the walk."""

    fields: int = 0
    arguments: int = 0
    calls: int = 0
    leaks: int = 0

    def count(self, place: walk.Place, pairs: Sequence[object]) -> None:
        """Count a field and its naming arguments."""
        self.fields += bool(pairs)
        self.arguments += sum(names.kind_of(leaf.coordinate) is not None for leaf in place.leaves)

    def show(self, capsys: pytest.CaptureFixture[str], title: str) -> None:
        with capsys.disabled():
            sys.stdout.write(
                f"\ntenancy, {title}: {self.fields} fields walked, {self.arguments} arguments tried in "
                f"{self.calls} calls, {self.leaks} leaks\n"
            )


def tries(place: walk.Place, theirs: Stock) -> Iterator[tuple[Tried, Tried]]:
    """Yield another account's objects for each naming leaf, then for several at once, each with nonexistent ones."""
    named = {leaf: kind for leaf in place.leaves if (kind := names.kind_of(leaf.coordinate))}
    for leaf, kind in named.items():
        for thing in _various(theirs.things[kind]):
            yield _pair({leaf: kind}, [thing])
    direct = {leaf: kind for leaf, kind in named.items() if len(leaf.path) <= 2 and "cursor" not in kind}
    if len(direct) > 1:
        yield _pair(direct, [theirs.things[kind][0] for kind in direct.values()])


def _pair(leaves: Mapping[walk.Leaf, str], things: Sequence[Any]) -> tuple[Tried, Tried]:
    pairs = zip(leaves.items(), things, strict=True)
    both = [(leaf, thing, names.nobodys(kind, thing)) for (leaf, kind), thing in pairs]
    return {leaf: _sent(leaf, each) for leaf, each, _ in both}, {
        leaf: _sent(leaf, each) for leaf, _, each in both
    }


def _sent(leaf: walk.Leaf, thing: Any) -> Any:
    if leaf.path[-1] == "idempotencyKey":
        thing = f"{thing} {leaf.coordinate.partition('.')[0]}"
    return [thing] if leaf.is_list else thing


def _various(things: Sequence[Any]) -> Sequence[Any]:
    """Return the first, the middle and the last instance: a single, a bundle member, an unmanaged one."""
    return list(dict.fromkeys([things[0], things[len(things) // 2], things[-1]]))


def compare(
    scene: Scene,
    figures: Figures,
    told: str,
    one: tuple[int, str],
    other: tuple[int, str],
    pair: tuple[Tried, Tried],
) -> list[str]:
    """Compare the responses for another account's objects and for nonexistent ones; return the problems."""
    answers = [
        (status, stage.alike(text, tried.values()))
        for (status, text), tried in zip((one, other), pair, strict=True)
    ]
    figures.calls += 2
    found = [word for word in scene.words if word in answers[0][1]]
    if not found and answers[0] == answers[1] and "INTERNAL" not in answers[0][1]:
        return []
    figures.leaks += 1
    return [f"{told} {pair[0]}: {found}\n{answers[0]}\n{answers[1]}"]


async def unchanged(scene: Scene, figures: Figures, told: str) -> list[str]:
    """Return how the other account has changed, if it has."""
    found = await scene.digest.take()
    if found == scene.before:
        return []
    figures.leaks += 1
    tables = [name for name in found if found[name] != scene.before[name]]
    scene.before.update(found)
    return [f"{told} changed what is another's in {', '.join(tables)}"]


async def test_no_customer_sees_or_changes_what_is_anothers(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, wrong = Figures(), list[str]()
    for place in walk.places(CUSTOMERS):
        pairs = list(tries(place, scene.theirs))
        figures.count(place, pairs)
        for pair in pairs:
            one, other = [
                await ask(scene.operator, twin.key, place, tried, twin)
                for twin, tried in zip(scene.twins, pair, strict=True)
            ]
            wrong += compare(scene, figures, place.coordinate, one, other, pair)
        wrong += await unchanged(scene, figures, place.coordinate)
    figures.show(capsys, "customers")
    assert not wrong, "\n".join(wrong)
    assert (figures.fields, figures.arguments) >= (18, 54)


async def test_no_export_shows_what_is_anothers(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    figures, wrong = Figures(), list[str]()
    [place] = [each for each in walk.places(CUSTOMERS) if each.coordinate == "Query.instances"]
    in_filter = tuple(leaf for leaf in place.leaves if leaf.path[0] == "filter")
    walked = {"instances": {"filter"}, "orders": set[str](), "ledger": set[str]()}
    harmless = {"columns", "lang", "orderBy", "from", "before"}
    for table, arguments in export_arguments.ARGUMENTS.items():
        names_nothing = harmless | {"filter"} if table == "ledger" else harmless
        assert set(arguments) - names_nothing == walked[table], (
            f"/export/{table} takes what the walk does not know"
        )
    for ending in formats.Format:
        for table in export_arguments.ARGUMENTS:
            pairs = list(tries(dataclasses.replace(place, leaves=in_filter), scene.theirs))
            pairs = pairs if walked[table] else [({}, {})]
            figures.fields += 1
            figures.arguments += len(in_filter) if walked[table] else 0
            for pair in pairs:
                one, other = [
                    await export(scene.operator, twin.key, f"/export/{table}.{ending}", tried)
                    for twin, tried in zip(scene.twins, pair, strict=True)
                ]
                assert one[0] == 200
                wrong += compare(scene, figures, f"/export/{table}.{ending}", one, other, pair)
    wrong += await unchanged(scene, figures, "an export")
    figures.show(capsys, "exports")
    assert not wrong, "\n".join(wrong)


async def export(client: Operator, key: str, path: str, tried: Tried) -> tuple[int, str]:
    """Return the status and the body of an export with the given filter."""
    chosen = {leaf.path[-1]: value for leaf, value in tried.items()}
    parameters = {"filter": orjson.dumps(chosen).decode()} if chosen else {}
    answer = await client.http.get(
        URL.replace("/graphql", path), params=parameters, headers={"Authorization": f"Bearer {key}"}
    )
    return answer.status_code, answer.text


async def test_a_calendar_opens_to_its_own_token_alone(scene: Scene) -> None:
    url = URL.replace("/graphql", "/calendar.ics")
    refusals = set()
    for token in (scene.theirs.key, scene.theirs.viewer_key, scene.twins[0].key, "rk_00000000_x", "a.b.c"):
        answer = await scene.operator.http.get(url, params={"token": token})
        refusals.add((answer.status_code, answer.content))
    assert [status for status, _ in refusals] == [401]
    for sent in (
        {"params": {"token": scene.twins[0].calendar_key}},
        {"headers": _header(scene.twins[0].viewer_key)},
    ):
        answer = await scene.operator.http.get(url, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert THEIRS not in answer.text


def _header(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


async def test_only_an_operator_opens_the_provider_s_side(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, refusals = Figures(), set[tuple[int, bytes]]()
    keys = (
        *(scene.twins[0].key, scene.twins[0].viewer_key, scene.twins[0].calendar_key),
        *(
            scene.theirs.key,
            scene.theirs.viewer_key,
            scene.theirs.calendar_key,
            None,
            "rk_00000000_x",
            "a.b.c",
        ),
    )
    wrong = list[str]()
    for place in walk.places(OPERATORS):
        pairs = list(tries(place, scene.theirs)) or [({}, {})]
        figures.count(place, pairs)
        for number, (tried, _) in enumerate(pairs):
            query, values = walk.request(OPERATORS, place, tried, scene.theirs.own)
            for key in keys if number == 0 else keys[:1]:
                answer = await scene.operator.http.post(
                    OPERATOR_URL, json={"query": query, "variables": values}, headers=_header(key)
                )
                figures.calls += 1
                refusals.add((answer.status_code, answer.content))
        wrong += await unchanged(scene, figures, place.coordinate)
    figures.show(capsys, "operators' fields, asked by others")
    assert not wrong, "\n".join(wrong)
    assert [status for status, _ in refusals] == [401], "whoever is refused is told the same"


async def test_what_is_of_two_accounts_goes_together_for_no_operator(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator's call for one account does not show or change data of another account it names."""
    figures, wrong = Figures(), list[str]()
    one = scene.twins[0]
    for place in walk.places(OPERATORS):
        named = {leaf: kind for leaf in place.leaves if (kind := names.kind_of(leaf.coordinate))}
        whose = names.WHOSE.intersection(named.values())
        theirs = {leaf: kind for leaf, kind in named.items() if kind in names.OF_ONE_ACCOUNT}
        if "account" not in whose and len(whose) < 2:
            continue
        pairs = [(leaf, thing) for leaf, kind in theirs.items() for thing in scene.theirs.things[kind]]
        figures.fields += bool(pairs)
        figures.arguments += len(theirs)
        for leaf, thing in pairs:
            beside = {
                each: _sent(each, one.things[kind][0]) for each, kind in named.items() if kind in names.WHOSE
            }
            tried = beside | {leaf: _sent(leaf, thing)}
            status, text = await ask(scene.operator, scene.operator.key, place, tried, one, OPERATOR_URL)
            figures.calls += 1
            told = stage.alike(text, tried.values())
            found = [word for word in scene.words if word in told]
            if status != 200 or found or "INTERNAL" in text or "BAD_REQUEST" in text:
                figures.leaks += 1
                wrong.append(f"{place.coordinate} {tried}: {found} {status} {text}")
        wrong += await unchanged(scene, figures, place.coordinate)
    figures.show(capsys, "operators, of two accounts")
    assert not wrong, "\n".join(wrong)
    assert figures.fields >= 7


@pytest.mark.parametrize(
    "field", ["parcel(number: Int!): String", "parcel(id: ID!): String", "parcel(in: Parcel!): String"]
)
def test_an_argument_that_the_walk_does_not_know_stops_it(scene: Scene, field: str) -> None:
    schema = build_schema(f"type Query {{ {field} }} input Parcel {{ code: String }}")
    [place] = walk.places(schema)
    with pytest.raises(names.UnknownLeafError, match="add it to NAMED"):
        list(tries(place, scene.theirs))
