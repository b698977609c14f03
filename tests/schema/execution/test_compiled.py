"""Compiled code is used for the operations that it supports, and only for these."""

import asyncio
import dataclasses
import datetime as dt
import enum
import threading
from collections import Counter
from typing import Any, cast

import pytest
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from renewals.domain import errors
from schema.execution import executor
from schema.fields import sources
from schema.limits import document_cache
from tests.schema.execution import compare
from tests.support import core_calls


@strawberry.enum
class Color(enum.Enum):
    RED = "red"


@strawberry.type
class Inner:
    o: int


@strawberry.type
class Item:
    """Twelve fields."""

    o: int
    maybe: int | None
    id: strawberry.ID
    name: str
    share: float
    is_new: bool
    color: Color
    at: dt.datetime
    tags: list[str]
    note: str | None
    inner: Inner
    inners: list[Inner]


TWELVE = "o maybe id name share isNew color at tags note inner { o } inners { o }"


class Item12:
    def __init__(self, number: int) -> None:
        self.__dict__.update(row(number))


def row(number: int) -> dict[str, Any]:
    return {
        "o": number,
        "maybe": None,
        "id": str(number),
        "name": "é",
        "share": 0.5,
        "is_new": True,
        "color": Color.RED,
        "at": dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        "tags": ["a", "b"],
        "note": None,
        "inner": {"o": 1},
        "inners": [{"o": 1}, {"o": 2}],
    }


@dataclasses.dataclass
class Given:
    """The context: the value of a root field, and the recorded calls."""

    items: Any = None
    called: list[str] = dataclasses.field(default_factory=list)
    load: Any = None


@strawberry.type
class Query:
    @strawberry.field
    def items(self, info: strawberry.Info[Given, None]) -> list[Item | None]:
        return info.context.items  # type: ignore[no-any-return]

    @strawberry.field
    def numbers(self, of: list[int]) -> list[int]:
        return of


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def put(self, name: str, info: strawberry.Info[Given, None]) -> list[Item]:
        info.context.called.append(f"{name} begins")
        await asyncio.sleep(0)
        info.context.called.append(f"{name} ends")
        return info.context.items  # type: ignore[no-any-return]


def make(
    executor_class: Any = executor.Executor, query: type = Query, *extensions: Any, **config: Any
) -> strawberry.Schema:
    return strawberry.Schema(
        query,
        mutation=Mutation,
        config=StrawberryConfig(default_resolver=sources.read, **config),
        execution_context_class=executor_class,
        extensions=[lambda: ParserCache(maxsize=99), *extensions],
    )


async def ask(schema: strawberry.Schema, document: str, given: Any = None, **variables: Any) -> Any:
    """Return the data of a result without errors."""
    answer = await schema.execute(document, variables, given)
    assert not answer.errors, answer.errors
    return answer.data


async def assert_same(query: type, document: str, given: Any = None, **variables: Any) -> Any:
    """Execute twice with both executors, check that the results are equal, and return the compiled one's."""
    stock = make(StrawberryGraphQLCoreExecutionContext, query)
    compiled = make(executor.Executor, query)
    found = []
    for _ in range(2):
        expected = await stock.execute(document, variables, given)
        found.append(await compiled.execute(document, variables, given))
        assert not compare.differences(expected, found[-1], waited=False)
    return found[-1]


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counters of the list items that graphql-core completes and of the fields that it resolves."""
    return core_calls.count_core_calls(monkeypatch, "complete_list_item_value", "execute_field")


@pytest.mark.parametrize("make_item", [row, Item12])
async def test_a_plain_list_is_completed_without_graphql_core(
    completed: Counter[str], make_item: Any
) -> None:
    schema, document = make(), f"{{ items {{ {TWELVE} }} }}"
    data = await ask(schema, document, Given([make_item(number) for number in range(1000)]))
    assert [item["o"] for item in data["items"]] == list(range(1000))
    assert completed == {"execute_field": 1}, "the root field alone"
    assert await ask(schema, document, Given([make_item(number) for number in range(1000)])) == data
    assert completed == {"execute_field": 1}, "not even that once its selection is known"
    stock = await ask(make(StrawberryGraphQLCoreExecutionContext), document, Given([make_item(1)]))
    assert list(stock["items"][0].items()) == list(data["items"][1].items())
    assert completed["complete_list_item_value"] > 0, "which is what is counted here"


async def test_one_invalid_value_in_a_thousand_is_reported_at_its_path(completed: Counter[str]) -> None:
    items = [row(number) for number in range(1000)]
    items[617]["inners"][1]["o"] = "two"
    answer = await make().execute(f"{{ items {{ {TWELVE} }} }}", None, Given(items))
    [error] = answer.errors or []
    assert error.path == ["items", 617, "inners", 1, "o"]
    assert error.message == "Int cannot represent non-integer value: 'two'"
    assert answer.data is not None
    assert [item is None for item in answer.data["items"]].index(True) == 617
    assert sum(item is None for item in answer.data["items"]) == 1
    assert completed["complete_list_item_value"] == 1002, "the items, and the inners of one"


async def test_root_fields_of_mutations_run_once_and_one_after_the_other(completed: Counter[str]) -> None:
    given = Given([row(1), row(2) | {"o": None}])
    document = 'mutation { a: put(name: "a") { o } b: put(name: "b") { name } c: put(name: "c") { o } }'
    answer = await make().execute(document, None, given)
    assert given.called == ["a begins", "a ends"], "its null went up to the root, which is the end"
    assert answer.data is None and [error.path for error in answer.errors or ()] == [["a", 1, "o"]]
    given = Given([row(1), row(2) | {"share": 1}])
    document = (
        'mutation { a: put(name: "a") { share } b: put(name: "b") { name } c: put(name: "c") { share } }'
    )
    data = await ask(make(), document, given)
    assert given.called == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]
    assert data["c"] == [{"share": 0.5}, {"share": 1.0}], "though it was not compiled"
    assert completed["complete_list_item_value"] > 0


async def test_an_extension_that_resolves_sees_every_field() -> None:
    seen: Counter[str] = Counter()

    class Watching(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            seen[info.field_name] += 1
            return _next(root, info, *args, **kwargs)

    document = "{ items { o name inner { o } } }"
    schema = make(executor.Executor, Query, Watching)
    for _ in range(2):
        await ask(schema, document, Given([row(1), row(2)]))
    assert seen == {"items": 2, "name": 4, "inner": 4, "o": 8}


async def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_cache, "DOCUMENTS_MAX", 3)
    monkeypatch.setattr(executor, "VARIANTS_MAX", 2)
    executor._compiled.clear()
    schema, given = make(), Given([row(1)])
    names = ["a", "b", "c", "d"]
    document = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ items {{ id %s }} }}"
    document %= " ".join(f"{name}: o @include(if: ${name})" for name in names)
    for bits in range(16):
        variables = {name: bool(bits & 1 << place) for place, name in enumerate(names)}
        data = await ask(schema, document, given, **variables)
        assert list(data["items"][0]) == ["id", *(name for name in names if variables[name])]
    [compiled] = executor._compiled.values()
    assert compiled._variants is not None and len(compiled._variants) == 2
    for number in range(10):
        await ask(schema, f"{{ items {{ k{number}: o }} }}", given)
        assert len(executor._compiled) <= 3
    await ask(schema, "{ items { k7: o } }", given)
    assert len(executor._compiled) == 3, "it was there"


def test_threads_do_not_mix_their_requests() -> None:
    schema = make()
    document = """query ($a: Boolean!, $b: Boolean!) { items {
        o @include(if: $a) name @include(if: $b) inner @skip(if: $a) { o } same: name @skip(if: $b) } }"""
    wrong: list[Any] = []
    ready = threading.Barrier(4)

    def run(number: int) -> None:
        loop, is_a, is_b = asyncio.new_event_loop(), bool(number & 1), bool(number & 2)
        expected: dict[str, Any] = {"o": number} if is_a else {}
        expected |= {"name": "é"} if is_b else {}
        expected |= {} if is_a else {"inner": {"o": 1}}
        expected |= {} if is_b else {"same": "é"}
        for turn in range(20):
            ready.wait()  # all threads begin each new document at the same time
            for _ in range(3):
                asked = ask(schema, f"# {turn}\n{document}", Given([row(number)] * 5), a=is_a, b=is_b)
                if (data := loop.run_until_complete(asked)) != {"items": [expected] * 5}:
                    wrong.append(data)
        loop.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


async def test_the_same_document_of_two_schemas_is_compiled_for_each() -> None:
    @strawberry.type(name="Query")
    class Other:
        @strawberry.field
        def items(self, info: strawberry.Info) -> list[Inner]:
            return info.context.items  # type: ignore[no-any-return]

    document = "{ items { __typename o } ... on Query { items { o } } }"
    for schema, name in ((make(), "Item"), (make(query=Other), "Inner"), (make(), "Item")):
        assert await ask(schema, document, Given([row(5)])) == {"items": [{"__typename": name, "o": 5}]}


async def test_operations_of_one_document_may_call_different_things_by_one_name() -> None:
    document = """query A($x: Boolean!) { items { o @include(if: $x) id } }
        query B($x: [Int!]!) { numbers(of: $x) }"""
    schema = make()
    for name, x, data in [
        ("A", True, {"items": [{"o": 1, "id": "1"}]}),
        ("B", [1, 2], {"numbers": [1, 2]}),
        ("A", False, {"items": [{"id": "1"}]}),
    ]:
        answer = await schema.execute(document, {"x": x}, Given([row(1)]), operation_name=name)
        assert (answer.errors, answer.data) == (None, data)


async def test_null_for_a_condition_is_an_error_of_each_item() -> None:
    document = "query ($x: Boolean = false) { items { id o @skip(if: $x) inner { o } } }"
    for x in (False, None, True, None):
        await assert_same(Query, document, Given([row(1), row(2)]), x=x)


class Raising:
    """An object whose property raises StopIteration."""

    id = "1"

    @property
    def inner(self) -> Any:
        raise StopIteration


async def test_a_property_that_ends_an_iteration_shortens_no_list() -> None:
    found = await assert_same(Query, "{ items { id inner { o } } }", Given([Item12(1), Raising(), Item12(2)]))
    assert [item and item["id"] for item in found.data["items"]] == ["1", None, "2"]


@strawberry.type
class Listed:
    members: list[Inner] = sources.sliced("keys", loader=lambda load: load)  # type: ignore[arg-type, return-value]
    inners: list[Inner] = sources.sliced("values")
    squares: list[Inner] = sources.sliced("keys", make=lambda key: {"o": key * key})
    count: int = sources.counted("keys")


@strawberry.type(name="Query")
class Lists:
    @strawberry.field
    def lists(self, info: strawberry.Info) -> list[Listed]:
        return info.context.items()  # type: ignore[no-any-return]


SLICES = """query ($first: Int! = 2, $offset: Int! = 0, $left: Int = 1) { lists {
  members(first: $first, offset: $offset) { o } inners(first: 1, offset: 1) { o } count
  squares(first: $left) { o } all: squares { o } } }"""


@pytest.mark.parametrize(
    "variables",
    [{}, {"first": 1}, {"first": 3, "offset": 1}, {"offset": 9}, {"first": 0}, {"left": 3}],
    ids=str,
)
async def test_a_slice_of_a_list_is_completed_without_graphql_core(
    variables: dict[str, int], completed: Counter[str]
) -> None:
    async def load(keys: list[int]) -> list[Any]:
        loaded.append(keys)
        return [{"o": key} for key in keys]

    def items() -> list[Any]:
        return [{"keys": [1, 2, 3], "values": [{"o": 7}, {"o": 8}]}, {"keys": (4,), "values": []}]

    loaded: list[list[int]] = []
    first, offset = variables.get("first", 2), variables.get("offset", 0)
    expected = [
        {
            "members": [{"o": key} for key in keys][offset : offset + first],
            "inners": inners,
            "count": len(keys),
            "squares": [{"o": key * key} for key in keys][: variables.get("left", 1)],
            "all": [{"o": key * key} for key in keys],
        }
        for keys, inners in (([1, 2, 3], [{"o": 8}]), ([4], []))
    ]
    for executor_class in (StrawberryGraphQLCoreExecutionContext, executor.Executor):
        completed.clear()
        given = Given(items, load=DataLoader(load_fn=load))
        assert await ask(make(executor_class, Lists), SLICES, given, **variables) == {"lists": expected}
        assert {key for keys in loaded for key in keys} == {
            each["o"]
            for listed in expected
            for each in listed["members"]  # type: ignore[attr-defined]
        }
    assert completed == {"execute_field": 1}, "the root's"


async def load_nothing(keys: list[int]) -> list[int]:
    raise AssertionError(f"{keys} were loaded")


@pytest.mark.parametrize("variables", [{"first": -1}, {"first": 1_001}, {"offset": -1}], ids=str)
async def test_a_slice_out_of_bounds_is_refused(variables: dict[str, int]) -> None:
    given = Given(lambda: [{"keys": [1], "values": []}], load=DataLoader(load_fn=load_nothing))
    found = await assert_same(Lists, SLICES, given, **variables)
    assert found.errors and isinstance(found.errors[0].original_error, errors.InvalidInputError)


async def test_a_custom_field_class_resolves_by_itself() -> None:
    class Doubled(StrawberryField):
        def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
            result: Any = super().get_result(source, info, args, kwargs)
            return 2 * result

    @strawberry.type
    class Twice:
        o: int = cast("int", Doubled())

    @strawberry.type(name="Query")
    class Twices:
        @strawberry.field
        def items(self, info: strawberry.Info) -> list[Twice]:
            return info.context.items  # type: ignore[no-any-return]

    found = await assert_same(Twices, "{ items { o } }", Given([{"o": 1}]))
    assert found.data == {"items": [{"o": 2}]}
