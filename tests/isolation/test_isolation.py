"""No field of either schema, and no other endpoint, shows or changes data of another account.

Every field with an argument that names an object is called twice: with objects of another account, and with objects
that do not exist. Both responses must be equal. The calls must not return or change data of the other account.
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
    """Yield objects of the other account and nonexistent ones, for each naming leaf and for several at a time."""
    kinds = {leaf: kind for leaf in place.leaves if (kind := names.kind_of(leaf.coordinate))}
    for leaf, kind in kinds.items():
        for object_id in _various(theirs.things[kind]):
            yield _pair({leaf: kind}, [object_id])
    direct = {leaf: kind for leaf, kind in kinds.items() if len(leaf.path) <= 2 and "cursor" not in kind}
    if len(direct) > 1:
        yield _pair(direct, [theirs.things[kind][0] for kind in direct.values()])


def _pair(leaves: Mapping[walk.Leaf, str], object_ids: Sequence[Any]) -> tuple[Tried, Tried]:
    pairs = zip(leaves.items(), object_ids, strict=True)
    tried_pairs = [(leaf, object_id, names.nobodys(kind, object_id)) for (leaf, kind), object_id in pairs]
    return {leaf: _sent(leaf, object_id_) for leaf, object_id_, _ in tried_pairs}, {
        leaf: _sent(leaf, object_id_) for leaf, _, object_id_ in tried_pairs
    }


def _sent(leaf: walk.Leaf, object_id: Any) -> Any:
    if leaf.path[-1] == "idempotencyKey":
        object_id = f"{object_id} {leaf.coordinate.partition('.')[0]}"
    return [object_id] if leaf.is_list else object_id


def _various(object_ids: Sequence[Any]) -> Sequence[Any]:
    """Return the first, the middle and the last instance: a single one, a member of a bundle, and an unmanaged one."""
    return list(dict.fromkeys([object_ids[0], object_ids[len(object_ids) // 2], object_ids[-1]]))


def compare(
    scene: Scene,
    figures: Figures,
    call: str,
    first: tuple[int, str],
    other: tuple[int, str],
    pair: tuple[Tried, Tried],
) -> list[str]:
    """Compare the responses for objects of the other account and for nonexistent ones; return the problems."""
    texts = [
        (status, stage.alike(text, tried.values()))
        for (status, text), tried in zip((first, other), pair, strict=True)
    ]
    figures.calls += 2
    leaked_words = [word for word in scene.words if word in texts[0][1]]
    if not leaked_words and texts[0] == texts[1] and "INTERNAL" not in texts[0][1]:
        return []
    figures.leaks += 1
    return [f"{call} {pair[0]}: {leaked_words}\n{texts[0]}\n{texts[1]}"]


async def unchanged(scene: Scene, figures: Figures, call: str) -> list[str]:
    """Return the changes of the other account as problems."""
    tables_now = await scene.digest.take()
    if tables_now == scene.before:
        return []
    figures.leaks += 1
    tables = [name for name in tables_now if tables_now[name] != scene.before[name]]
    scene.before.update(tables_now)
    return [f"{call} changed what is another's in {', '.join(tables)}"]


async def test_no_customer_reads_or_changes_another_accounts_data(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, wrong = Figures(), list[str]()
    for place in walk.places(CUSTOMERS):
        pairs = list(tries(place, scene.theirs))
        figures.count(place, pairs)
        for pair in pairs:
            first, other = [
                await ask(scene.operator, twin.key, place, tried, twin)
                for twin, tried in zip(scene.twins, pair, strict=True)
            ]
            wrong += compare(scene, figures, place.coordinate, first, other, pair)
        wrong += await unchanged(scene, figures, place.coordinate)
        assert not wrong, "\n".join(wrong)
    figures.show(capsys, "customers")
    assert (figures.fields, figures.arguments) >= (18, 54)


async def test_no_export_shows_another_accounts_data(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, wrong = Figures(), list[str]()
    [place] = [place_ for place_ in walk.places(CUSTOMERS) if place_.coordinate == "Query.instances"]
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
                first, other = [
                    await export(scene.operator, twin.key, f"/export/{table}.{ending}", tried)
                    for twin, tried in zip(scene.twins, pair, strict=True)
                ]
                assert first[0] == 200
                wrong += compare(scene, figures, f"/export/{table}.{ending}", first, other, pair)
    wrong += await unchanged(scene, figures, "an export")
    figures.show(capsys, "exports")
    assert not wrong, "\n".join(wrong)


async def export(client: Operator, key: str, path: str, tried: Tried) -> tuple[int, str]:
    """Return the status and the body of an export with the given filter."""
    conditions = {leaf.path[-1]: value for leaf, value in tried.items()}
    parameters = {"filter": orjson.dumps(conditions).decode()} if conditions else {}
    response = await client.http.get(
        URL.replace("/graphql", path), params=parameters, headers={"Authorization": f"Bearer {key}"}
    )
    return response.status_code, response.text


async def test_a_calendar_requires_its_own_token(scene: Scene) -> None:
    url = URL.replace("/graphql", "/calendar.ics")
    refusals = set()
    for token in (scene.theirs.key, scene.theirs.viewer_key, scene.twins[0].key, "rk_00000000_x", "a.b.c"):
        response = await scene.operator.http.get(url, params={"token": token})
        refusals.add((response.status_code, response.content))
    assert [status for status, _ in refusals] == [401]
    for sent in (
        {"params": {"token": scene.twins[0].calendar_key}},
        {"headers": _header(scene.twins[0].viewer_key)},
    ):
        response = await scene.operator.http.get(url, **sent)  # type: ignore[arg-type]
        assert response.status_code == 200
        assert THEIRS not in response.text


def _header(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


async def test_only_an_operator_can_use_the_operator_api(
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
                response = await scene.operator.http.post(
                    OPERATOR_URL, json={"query": query, "variables": values}, headers=_header(key)
                )
                figures.calls += 1
                refusals.add((response.status_code, response.content))
        wrong += await unchanged(scene, figures, place.coordinate)
    figures.show(capsys, "operators' fields, asked by others")
    assert not wrong, "\n".join(wrong)
    assert [status for status, _ in refusals] == [401], "the refusals differ"


async def test_an_operator_cannot_combine_data_of_two_accounts(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator's call for one account neither returns nor changes data of another account that it names."""
    figures, wrong = Figures(), list[str]()
    twin = scene.twins[0]
    for place in walk.places(OPERATORS):
        kinds = {leaf: kind for leaf in place.leaves if (kind := names.kind_of(leaf.coordinate))}
        whose = names.WHOSE.intersection(kinds.values())
        theirs = {leaf: kind for leaf, kind in kinds.items() if kind in names.OF_ONE_ACCOUNT}
        if "account" not in whose and len(whose) < 2:
            continue
        pairs = [
            (leaf, object_id) for leaf, kind in theirs.items() for object_id in scene.theirs.things[kind]
        ]
        figures.fields += bool(pairs)
        figures.arguments += len(theirs)
        for leaf, object_id in pairs:
            fixed_values = {
                leaf_: _sent(leaf_, twin.things[kind][0])
                for leaf_, kind in kinds.items()
                if kind in names.WHOSE
            }
            tried = fixed_values | {leaf: _sent(leaf, object_id)}
            status, text = await ask(scene.operator, scene.operator.key, place, tried, twin, OPERATOR_URL)
            figures.calls += 1
            comparable_text = stage.alike(text, tried.values())
            leaked_words = [word for word in scene.words if word in comparable_text]
            if status != 200 or leaked_words or "INTERNAL" in text or "BAD_REQUEST" in text:
                figures.leaks += 1
                wrong.append(f"{place.coordinate} {tried}: {leaked_words} {status} {text}")
        wrong += await unchanged(scene, figures, place.coordinate)
    figures.show(capsys, "operators, of two accounts")
    assert not wrong, "\n".join(wrong)
    assert figures.fields >= 7


@pytest.mark.parametrize(
    "field", ["parcel(number: Int!): String", "parcel(id: ID!): String", "parcel(in: Parcel!): String"]
)
def test_an_unclassified_argument_stops_the_walk_with_an_error(scene: Scene, field: str) -> None:
    schema = build_schema(f"type Query {{ {field} }} input Parcel {{ code: String }}")
    [place] = walk.places(schema)
    with pytest.raises(names.UnknownLeafError, match="add it to NAMED"):
        list(tries(place, scene.theirs))
