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
from schema.execution import executor, variants
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
        self.__dict__.update(make_row(number))


def make_row(number: int) -> dict[str, Any]:
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
class RequestContext:
    """The context: the value of a root field, and the recorded calls."""

    items: Any = None
    called: list[str] = dataclasses.field(default_factory=list)
    load: Any = None


@strawberry.type
class Query:
    @strawberry.field
    def items(self, info: strawberry.Info[RequestContext, None]) -> list[Item | None]:
        return info.context.items  # type: ignore[no-any-return]

    @strawberry.field
    def numbers(self, of: list[int]) -> list[int]:
        return of


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def put(self, name: str, info: strawberry.Info[RequestContext, None]) -> list[Item]:
        info.context.called.append(f"{name} begins")
        await asyncio.sleep(0)
        info.context.called.append(f"{name} ends")
        return info.context.items  # type: ignore[no-any-return]


def make_schema(
    executor_class: Any = executor.Executor, query: type = Query, *extensions: Any, **config: Any
) -> strawberry.Schema:
    return strawberry.Schema(
        query,
        mutation=Mutation,
        config=StrawberryConfig(default_resolver=sources.read, **config),
        execution_context_class=executor_class,
        extensions=[lambda: ParserCache(maxsize=99), *extensions],
    )


async def execute(schema: strawberry.Schema, document: str, context: Any = None, **variables: Any) -> Any:
    """Return the data of a result without errors."""
    result = await schema.execute(document, variables, context)
    assert not result.errors, result.errors
    return result.data


async def assert_same_results(query: type, document: str, context: Any = None, **variables: Any) -> Any:
    """Execute twice with both executors, check that the results are equal, and return the compiled one's."""
    stock = make_schema(StrawberryGraphQLCoreExecutionContext, query)
    compiled = make_schema(executor.Executor, query)
    results = []
    for _ in range(2):
        expected = await stock.execute(document, variables, context)
        results.append(await compiled.execute(document, variables, context))
        assert not compare.differences(expected, results[-1], waited=False)
    return results[-1]


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counters of the list items that graphql-core completes and of the fields that it resolves."""
    return core_calls.count_core_calls(monkeypatch, "complete_list_item_value", "execute_field")


@pytest.mark.parametrize("make_item", [make_row, Item12])
async def test_a_plain_list_is_completed_without_graphql_core(
    completed: Counter[str], make_item: Any
) -> None:
    schema, document = make_schema(), f"{{ items {{ {TWELVE} }} }}"
    data = await execute(schema, document, RequestContext([make_item(number) for number in range(1000)]))
    assert [item["o"] for item in data["items"]] == list(range(1000))
    assert completed == {"execute_field": 1}, "graphql-core resolves only the root field"
    assert (
        await execute(schema, document, RequestContext([make_item(number) for number in range(1000)])) == data
    )
    assert completed == {"execute_field": 1}, (
        "graphql-core resolves no field of a document that is already compiled"
    )
    stock = await execute(
        make_schema(StrawberryGraphQLCoreExecutionContext), document, RequestContext([make_item(1)])
    )
    assert list(stock["items"][0].items()) == list(data["items"][1].items())
    assert completed["complete_list_item_value"] > 0, "graphql-core itself increments this counter"


async def test_one_invalid_value_in_a_thousand_is_reported_at_its_path(completed: Counter[str]) -> None:
    items = [make_row(number) for number in range(1000)]
    items[617]["inners"][1]["o"] = "two"
    result = await make_schema().execute(f"{{ items {{ {TWELVE} }} }}", None, RequestContext(items))
    [error] = result.errors or []
    assert error.path == ["items", 617, "inners", 1, "o"]
    assert error.message == "Int cannot represent non-integer value: 'two'"
    assert result.data is not None
    assert [item is None for item in result.data["items"]].index(True) == 617
    assert sum(item is None for item in result.data["items"]) == 1
    assert completed["complete_list_item_value"] == 1002, (
        "the 1,000 items, and the two inner objects of the invalid item"
    )


async def test_the_root_fields_of_a_mutation_run_once_and_one_after_the_other(
    completed: Counter[str],
) -> None:
    context = RequestContext([make_row(1), make_row(2) | {"o": None}])
    document = 'mutation { a: put(name: "a") { o } b: put(name: "b") { name } c: put(name: "c") { o } }'
    result = await make_schema().execute(document, None, context)
    assert context.called == ["a begins", "a ends"], "a null at the root ends the operation"
    assert result.data is None and [error.path for error in result.errors or ()] == [["a", 1, "o"]]
    context = RequestContext([make_row(1), make_row(2) | {"share": 1}])
    document = (
        'mutation { a: put(name: "a") { share } b: put(name: "b") { name } c: put(name: "c") { share } }'
    )
    data = await execute(make_schema(), document, context)
    assert context.called == [f"{name} {step}" for name in "abc" for step in ("begins", "ends")]
    assert data["c"] == [{"share": 0.5}, {"share": 1.0}], "a list that was not compiled has the same values"
    assert completed["complete_list_item_value"] > 0


async def test_the_resolve_hook_of_an_extension_is_called_for_every_field() -> None:
    calls: Counter[str] = Counter()

    class CountingExtension(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            calls[info.field_name] += 1
            return _next(root, info, *args, **kwargs)

    document = "{ items { o name inner { o } } }"
    schema = make_schema(executor.Executor, Query, CountingExtension)
    for _ in range(2):
        await execute(schema, document, RequestContext([make_row(1), make_row(2)]))
    assert calls == {"items": 2, "name": 4, "inner": 4, "o": 8}


async def test_the_cache_of_compiled_documents_and_their_variants_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(document_cache, "DOCUMENTS_MAX", 3)
    monkeypatch.setattr(variants, "VARIANTS_MAX", 2)
    variants._compiled.clear()
    schema, context = make_schema(), RequestContext([make_row(1)])
    names = ["a", "b", "c", "d"]
    document = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ items {{ id %s }} }}"
    document %= " ".join(f"{name}: o @include(if: ${name})" for name in names)
    for bits in range(16):
        variables = {name: bool(bits & 1 << place) for place, name in enumerate(names)}
        data = await execute(schema, document, context, **variables)
        assert list(data["items"][0]) == ["id", *(name for name in names if variables[name])]
    [compiled] = variants._compiled.values()
    assert compiled._variants is not None and len(compiled._variants) == 2
    for number in range(10):
        await execute(schema, f"{{ items {{ k{number}: o }} }}", context)
        assert len(variants._compiled) <= 3
    await execute(schema, "{ items { k7: o } }", context)
    assert len(variants._compiled) == 3, "the document is still in the cache"


def test_concurrent_threads_receive_the_results_of_their_own_requests() -> None:
    schema = make_schema()
    document = """query ($a: Boolean!, $b: Boolean!) { items {
        o @include(if: $a) name @include(if: $b) inner @skip(if: $a) { o } same: name @skip(if: $b) } }"""
    wrong_results: list[Any] = []
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
                execution = execute(
                    schema, f"# {turn}\n{document}", RequestContext([make_row(number)] * 5), a=is_a, b=is_b
                )
                if (data := loop.run_until_complete(execution)) != {"items": [expected] * 5}:
                    wrong_results.append(data)
        loop.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong_results


async def test_the_same_document_of_two_schemas_is_compiled_for_each() -> None:
    @strawberry.type(name="Query")
    class OtherQuery:
        @strawberry.field
        def items(self, info: strawberry.Info) -> list[Inner]:
            return info.context.items  # type: ignore[no-any-return]

    document = "{ items { __typename o } ... on Query { items { o } } }"
    for schema, name in (
        (make_schema(), "Item"),
        (make_schema(query=OtherQuery), "Inner"),
        (make_schema(), "Item"),
    ):
        assert await execute(schema, document, RequestContext([make_row(5)])) == {
            "items": [{"__typename": name, "o": 5}]
        }


async def test_operations_of_one_document_can_use_one_variable_name_for_different_types() -> None:
    document = """query A($x: Boolean!) { items { o @include(if: $x) id } }
        query B($x: [Int!]!) { numbers(of: $x) }"""
    schema = make_schema()
    for name, x, data in [
        ("A", True, {"items": [{"o": 1, "id": "1"}]}),
        ("B", [1, 2], {"numbers": [1, 2]}),
        ("A", False, {"items": [{"id": "1"}]}),
    ]:
        result = await schema.execute(document, {"x": x}, RequestContext([make_row(1)]), operation_name=name)
        assert (result.errors, result.data) == (None, data)


async def test_a_null_condition_of_a_directive_has_the_same_result_as_with_graphql_core() -> None:
    document = "query ($x: Boolean = false) { items { id o @skip(if: $x) inner { o } } }"
    for x in (False, None, True, None):
        await assert_same_results(Query, document, RequestContext([make_row(1), make_row(2)]), x=x)


class Raising:
    """An object whose property raises StopIteration."""

    id = "1"

    @property
    def inner(self) -> Any:
        raise StopIteration


async def test_a_property_that_raises_stop_iteration_does_not_shorten_a_list() -> None:
    result = await assert_same_results(
        Query, "{ items { id inner { o } } }", RequestContext([Item12(1), Raising(), Item12(2)])
    )
    assert [item and item["id"] for item in result.data["items"]] == ["1", None, "2"]


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
        context = RequestContext(items, load=DataLoader(load_fn=load))
        assert await execute(make_schema(executor_class, Lists), SLICES, context, **variables) == {
            "lists": expected
        }
        assert {key for keys in loaded for key in keys} == {
            member["o"]
            for listed in expected
            for member in listed["members"]  # type: ignore[attr-defined]
        }
    assert completed == {"execute_field": 1}, "graphql-core resolves only the root field"


async def load_nothing(keys: list[int]) -> list[int]:
    raise AssertionError(f"{keys} were loaded")


@pytest.mark.parametrize("variables", [{"first": -1}, {"first": 1_001}, {"offset": -1}], ids=str)
async def test_a_slice_out_of_bounds_is_refused_before_its_items_are_loaded(
    variables: dict[str, int],
) -> None:
    context = RequestContext(lambda: [{"keys": [1], "values": []}], load=DataLoader(load_fn=load_nothing))
    result = await assert_same_results(Lists, SLICES, context, **variables)
    assert result.errors and isinstance(result.errors[0].original_error, errors.InvalidInputError)


async def test_a_custom_field_class_uses_its_own_method_to_resolve() -> None:
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

    result = await assert_same_results(Twices, "{ items { o } }", RequestContext([{"o": 1}]))
    assert result.data == {"items": [{"o": 2}]}
