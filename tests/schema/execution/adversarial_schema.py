"""A schema with unusual types and invalid values, which compiled execution must handle like graphql-core."""

import asyncio
import datetime as dt
import decimal
import enum
import random
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Annotated, Any, NewType

import asyncpg
import strawberry
from graphql import GraphQLError, Undefined
from strawberry.dataloader import DataLoader
from strawberry.extensions import DisableValidation, FieldExtension, ParserCache
from strawberry.permission import BasePermission
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from schema.fields import sources


class Later:
    """An awaitable that is not a coroutine, so that Python does not warn if it is never awaited."""

    waited = False
    """Whether any object of the class was awaited."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        Later.waited = True
        yield from asyncio.sleep(0).__await__()
        return self.value


class Text(str):
    __slots__ = ()


class Number(int):
    pass


@strawberry.enum
class Color(enum.Enum):
    RED = "red"
    BLUE = 2
    PAIR = (1, 2)


@strawberry.enum
class Level(enum.StrEnum):
    LOW = "low"
    HIGH = "high"


@strawberry.enum
class Step(enum.IntEnum):
    ONE = 1
    TWO = 2


@strawberry.enum
class Unhashable(enum.Enum):
    LIST = [1]  # noqa: RUF012 - a member
    DICT = {"a": 1}  # noqa: RUF012


Odd = NewType("Odd", object)
Money = NewType("Money", int)


def _write_odd(value: Any) -> Any:
    match value:
        case "raise":
            raise ValueError("odd")
        case "none" | "undefined" | "later" | "error":
            answers = {"undefined": Undefined, "later": Later("late"), "error": ValueError("as a value")}
            return answers.get(value)
    return str(value)


SCALARS: dict[object, ScalarDefinition] = {
    Odd: strawberry.scalar(name="Odd", serialize=_write_odd, parse_value=str),
    Money: strawberry.scalar(name="Money", serialize=lambda cents: f"{cents / 100:.2f}", parse_value=int),
    dt.datetime: strawberry.scalar(name="Instant", serialize=dt.datetime.isoformat, parse_value=str),
}


def _read(source: Any, name: str) -> Any:
    return source[name] if isinstance(source, dict | asyncpg.Record) else getattr(source, name)


class Allowed(BasePermission):
    message = "Not allowed."

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return bool(_read(source, "o") != 1)


class AllowedLater(BasePermission):
    message = "Not allowed later."

    async def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        await asyncio.sleep(0)
        return bool(_read(source, "o") != 1)


class Shouting(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Any, **kwargs: Any) -> Any:
        return str(next_(source, info, **kwargs)).upper()


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Dog(Named):
    bark: int

    @strawberry.field
    def owner(self) -> "Node | None":
        return None


@strawberry.type
class Cat(Named):
    lives: int | None


@strawberry.type
class Special:
    o: int

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        if _read(value, "o") == 7:
            raise ValueError("no special one")
        return bool(_read(value, "o") != 5)


Pet = Annotated[Dog | Cat | Special, strawberry.union("Pet")]


@strawberry.type
class Leaf:
    """Leaves of every kind, with names that have another meaning in Python or in the generated code."""

    o: int
    values: int | None
    c0: str
    v0: str | None
    x: float
    maybe_x: float | None
    class_: bool | None = strawberry.field(name="class")
    is_: bool
    items: list[int | None] | None
    keys: list[list[str | None] | None] | None
    strict: list[list[int]]
    i0: strawberry.ID
    maybe_id: strawberry.ID | None
    color: Color
    maybe_color: Color | None
    colors: list[Color | None] | None
    level: Level | None
    step: Step
    unhashable: Unhashable | None
    odd: Odd
    maybe_odd: Odd | None
    odds: list[Odd | None] | None
    json: JSON | None
    at: dt.datetime | None
    money: Money
    type: str | None
    renamed: int | None = sources.column("o")
    keyword: str | None = sources.column("class")

    @strawberry.field
    def len(self) -> int:
        return _read(self, "o") + 1  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_later(self) -> int | None:
        return _read(self, "values")  # type: ignore[no-any-return]

    @strawberry.field
    def of_parent(row: strawberry.Parent[Any]) -> str | None:  # noqa: N805
        return _read(row, "v0")  # type: ignore[no-any-return]

    @strawberry.field
    def with_root(root) -> str | None:  # noqa: N805 # type: ignore[no-untyped-def]
        return _read(root, "v0")  # type: ignore[no-any-return]

    @strawberry.field
    def with_info(self, info: strawberry.Info) -> str:
        return f"{info.field_name} {_read(self, 'o')} {'/'.join(map(str, info.path))}"

    @strawberry.field
    @staticmethod
    def static() -> str:
        return "static"

    @strawberry.field
    def argued(self, number: int = 2, text: str | None = None) -> int | None:
        return number * _read(self, "o") if text is None else None

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> int | None:
        await asyncio.sleep(0)
        return _read(self, "o")  # type: ignore[no-any-return]

    @strawberry.field(permission_classes=[Allowed])  # type: ignore[untyped-decorator]
    def guarded(self) -> int | None:
        return _read(self, "o")  # type: ignore[no-any-return]

    @strawberry.field(permission_classes=[AllowedLater])  # type: ignore[untyped-decorator]
    def guarded_later(self) -> int:
        return _read(self, "o")  # type: ignore[no-any-return]

    @strawberry.field(extensions=[Shouting()])  # type: ignore[untyped-decorator]
    def shouted(self) -> str:
        return _read(self, "c0")  # type: ignore[no-any-return]


def _sum(row: strawberry.Parent[Any]) -> int:
    return _read(row, "o") + _read(row, "values")  # type: ignore[no-any-return]


@strawberry.type
class Node(Leaf):
    """Objects of every kind."""

    kid: "Node | None"
    must: Leaf
    kids: list["Node"]
    maybe_kids: list["Node | None"] | None
    grid: list[list[Leaf | None]] | None
    pet: Pet
    pets: list[Pet | None] | None
    named: Named | None
    nameds: list[Named]
    dog: Dog | None
    special: Special | None
    specials: list[Special | None] | None
    summed: int = sources.computed(_sum, "o", "values")
    friend: "Node | None" = sources.loaded(lambda load: load.node, "friend_id")  # type: ignore[attr-defined]
    best: "Node" = sources.loaded(lambda load: load.node, "friend_id")  # type: ignore[attr-defined]
    friends: list["Node | None"] | None = sources.sliced("friend_ids", loader=lambda load: load.node)  # type: ignore[attr-defined]
    members: list[Leaf] = sources.sliced("friend_id", loader=lambda load: load.group, of_owner=True)  # type: ignore[attr-defined]
    some_kids: list["Node | None"] | None = sources.sliced("maybe_kids")
    made_kids: list["Node | None"] | None = sources.sliced("maybe_kids", make=lambda kid: kid)
    loaded_pet: Pet | None = sources.loaded(lambda load: load.pet, "friend_id")  # type: ignore[attr-defined]
    mate: "Node | None" = sources.loaded(lambda load: load.node, "friend_id", joined="mate")  # type: ignore[attr-defined]
    loaded_number: int | None = sources.loaded(lambda load: load.number, "friend_id")  # type: ignore[attr-defined]

    @strawberry.field
    def self(self) -> "Node":
        return self

    @strawberry.field
    async def slow_kids(self, info: strawberry.Info) -> list["Node | None"]:
        await asyncio.sleep(0)
        return _read(self, "maybe_kids") or []


def _root(name: str) -> Any:
    def resolve(info: strawberry.Info) -> Any:
        return info.context.root(name)

    return strawberry.field(resolver=resolve)


@strawberry.type
class Query:
    """Fields whose results come from the `Values` of the request."""

    node: Node | None = _root("node")
    must: Node = _root("node")
    leaf: Leaf | None = _root("leaf")
    nodes: list[Node] = _root("nodes")
    maybe_nodes: list[Node | None] | None = _root("nodes")
    leaves: list[Leaf | None] = _root("leaves")
    grid: list[list[Leaf]] | None = _root("grid")
    pet: Pet | None = _root("pet")
    pets: list[Pet] | None = _root("pets")
    nameds: list[Named | None] | None = _root("nameds")
    dogs: list[Dog] | None = _root("dogs")
    numbers: list[int | None] | None = _root("items")
    query: "Query | None" = _root("query")

    @strawberry.field
    def counted(self, numbers: list[int] | None = None) -> int:
        return sum(numbers or [])

    @strawberry.field
    async def slow_nodes(self, info: strawberry.Info) -> list[Node | None] | None:
        await asyncio.sleep(0)
        return info.context.root("nodes")  # type: ignore[no-any-return]

    @strawberry.field
    async def streamed(self, info: strawberry.Info) -> list[Leaf | None] | None:
        return _stream(info.context.root("leaves"))  # type: ignore[return-value]


async def _stream(values: Any) -> AsyncIterator[Any]:
    for value in values:
        await asyncio.sleep(0)
        yield value


class Bag:
    """An object whose attributes are set later."""


def _raising(rng: random.Random) -> Any:
    error = rng.choice(
        [
            ValueError("property"),
            KeyError("key"),
            StopIteration(),
            AttributeError("none"),
            GraphQLError("told", extensions={"code": "TOLD"}),
        ]
    )

    def fail(_: Any) -> Any:
        raise error

    return property(fail)


_BAD: Sequence[Callable[[random.Random], Any]] = [
    lambda rng: None,
    lambda rng: rng.choice(["", "zz", "5", "red", "raise", "none", "undefined", "later", "error"]),
    lambda rng: rng.choice([0, 1, 5, -1, True, False, 2**31, 2**31 - 1, -(2**31) - 1, 2**80]),
    lambda rng: rng.choice([1.0, 1.5, -0.0, float("nan"), float("inf"), decimal.Decimal("1.0")]),
    lambda rng: rng.choice([ValueError("as a value"), GraphQLError("as a value", extensions={"a": 1})]),
    lambda rng: rng.choice([object(), b"bytes", Bag(), {}, {"o": 1}, type, print]),
    lambda rng: rng.choice(
        [[], [None], [1, "x"], (1, 2), [[1], None], [(1,)], ["red", 2], [ValueError("in")]]
    ),
    lambda rng: rng.choice([{1}, {"a"}, frozenset(), iter([1, 2]), (n for n in (1, None)), range(3)]),
    lambda rng: Later(rng.choice([None, 1, "x", ValueError("late")])),
    lambda rng: _failing(),
    lambda rng: Undefined,
    lambda rng: rng.choice([Text("text"), Number(3), [Text("t")], [Later(1)], [Undefined]]),
    lambda rng: rng.choice([*Color, *Level, *Step, *Unhashable, (1, 2), [1], 2]),
    _raising,
]


class _Failing(Later):
    def __await__(self) -> Any:
        Later.waited = True
        yield from asyncio.sleep(0).__await__()
        raise ValueError("later")


def _failing() -> Later:
    return _Failing(None)


class Values:
    """The context of a request, with its values and loaders. The same seed makes the same values again."""

    def __init__(
        self, seed: int, fault: float, names: frozenset[str], records: Sequence[Any], *, dicts: float
    ) -> None:
        self._seed = seed
        self._fault = fault
        self._names = names
        self._records = records
        self._dicts = dicts
        self.joins = seed % 2 == 0
        self.load = Loaders(self)

    def root(self, name: str) -> Any:
        """Return the value of a root field, or raise its error."""
        rng = self.rng(name)
        return self.value(rng, name, depth=2)

    def rng(self, *what: object) -> random.Random:
        return random.Random(f"{self._seed} {re.sub('0x[0-9a-f]+', '', repr(what))}")

    def value(self, rng: random.Random, name: str, depth: int) -> Any:
        """Return a value for a column with this name, sometimes an invalid one."""
        if rng.random() < self._fault:
            return rng.choice(_BAD)(rng)
        return _GOOD[name](self, rng, depth)

    def thing(self, rng: random.Random, depth: int) -> Any:
        """Return an object, a dict or a row of the database, with the columns that the selected fields read."""
        if self._records and self._fault and rng.random() < self._dicts / 4:
            return rng.choice(self._records)
        columns = dict.fromkeys(
            column for name in sorted(self._names) for column in _COLUMNS.get(name, (name,))
        )
        made = {name: self.value(rng, name, depth - 1) for name in columns if name in _GOOD}
        for name in list(made):
            if rng.random() < self._fault / 4:
                del made[name]
        if rng.random() < self._dicts:
            is_joined = self.joins and depth > 0 and "mate" in self._names
            return made | self._joined(made) if is_joined else made
        properties = {name: value for name, value in made.items() if isinstance(value, property)}
        kind = type("Bag", (Bag,), properties) if properties else Bag
        bag = kind()
        vars(bag).update(made)
        return bag

    def _joined(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the columns of a joined object, which are the same for each row with the same key."""
        rng = self.rng("mate", row.get("friend_id"))
        names = sorted({"code", *(column for name in self._names for column in _COLUMNS.get(name, (name,)))})
        return {f"mate.{name}": self.value(rng, name, 0) for name in names if name in _GOOD}

    def things(self, rng: random.Random, depth: int) -> Any:
        """Return a list of objects, or sometimes another iterable, or a list with an invalid value."""
        some = [self.thing(rng, depth) for _ in range(rng.randint(0, 2 * depth - 1) if depth > 0 else 0)]
        if rng.random() < self._fault:
            some.insert(rng.randint(0, len(some)), rng.choice(_BAD)(rng))
            kinds: list[Callable[[Any], Any]] = [list, tuple, iter, _generated, _later_each, list]
            made: Any = rng.choice(kinds)(some)
            return made
        return some


def _generated(values: Sequence[Any]) -> Iterator[Any]:
    yield from values


def _later_each(values: Sequence[Any]) -> list[Any]:
    return [Later(value) for value in values]


class Loaders:
    """The data loaders that `sources.loaded` uses."""

    def __init__(self, values: Values) -> None:
        def loader(make: Callable[[random.Random], Any]) -> DataLoader[Any, Any]:
            async def load(keys: list[Any]) -> list[Any]:
                await asyncio.sleep(0)
                if "all" in keys:
                    raise RuntimeError("all of them")
                return [ValueError("this one") if key == "raise" else make(values.rng(key)) for key in keys]

            return DataLoader(load_fn=load)

        self.node = loader(lambda rng: values.thing(rng, 1) if rng.random() < 0.9 else None)
        self.group = loader(lambda rng: values.things(rng, 1))
        self.pet = loader(lambda rng: _pet(values, rng, 1))
        self.number = loader(lambda rng: values.value(rng, "o", 0))


def _dog(values: Values, rng: random.Random, depth: int) -> Any:
    return Dog(name=values.value(rng, "c0", depth), bark=values.value(rng, "o", depth))


def _named(values: Values, rng: random.Random, depth: int) -> Any:
    if rng.random() < 0.5:
        return _dog(values, rng, depth)
    return Cat(name=values.value(rng, "c0", depth), lives=values.value(rng, "values", depth))


def _pet(values: Values, rng: random.Random, depth: int) -> Any:
    return values.thing(rng, depth) if rng.random() < 0.3 else _named(values, rng, depth)


Good = Callable[[Values, random.Random, int], Any]


def _maybe(good: Good) -> Good:
    return lambda values, rng, depth: None if rng.random() < 0.3 else good(values, rng, depth)


def _several(good: Good) -> Good:
    return lambda values, rng, depth: [good(values, rng, depth) for _ in range(rng.randint(0, 2))]


def _one_of(*choices: Any) -> Good:
    return lambda values, rng, depth: rng.choice(choices)


_INT, _TEXT, _FLOAT = _one_of(1, 2, 3, -7, 2**31 - 1), _one_of("x", 'é\n"', ""), _one_of(1.5, -0.0, 1e300)
_THING: Good = lambda values, rng, depth: values.thing(rng, depth) if depth >= 0 else None  # noqa: E731
_THINGS: Good = lambda values, rng, depth: values.things(rng, depth)  # noqa: E731

_GOOD: dict[str, Good] = {
    "o": _INT,
    "values": _maybe(_INT),
    "c0": _TEXT,
    "v0": _maybe(_TEXT),
    "x": _FLOAT,
    "maybe_x": _maybe(_FLOAT),
    "class_": _maybe(_one_of(True, False)),
    "is_": _one_of(True, False),
    "items": _maybe(_several(_maybe(_INT))),
    "keys": _maybe(_several(_maybe(_several(_maybe(_TEXT))))),
    "strict": _several(_several(_INT)),
    "i0": _one_of("id", strawberry.ID("id"), uuid.UUID(int=5)),
    "maybe_id": _maybe(_one_of("id", uuid.UUID(int=7))),
    "color": _one_of(*Color),
    "maybe_color": _maybe(_one_of(*Color, "red", (1, 2))),
    "colors": _maybe(_several(_maybe(_one_of(*Color)))),
    "level": _maybe(_one_of(*Level, "low")),
    "step": _one_of(*Step, 1),
    "unhashable": _maybe(_one_of(*Unhashable)),
    "odd": _one_of("plain", 1, 1.5, [1]),
    "maybe_odd": _maybe(_one_of("plain", dt.date(2027, 1, 1))),
    "odds": _maybe(_several(_maybe(_one_of("a", 2)))),
    "json": _maybe(_one_of({"k": [1, None]}, [1], "s", 1, True)),
    "at": _maybe(
        _one_of(
            dt.datetime(2027, 1, 2, tzinfo=dt.UTC),
            dt.datetime(2027, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=8))),
        )
    ),
    "money": _INT,
    "type": _maybe(_TEXT),
    "class": _maybe(_TEXT),
    "name": _TEXT,
    "code": _one_of(1),
    "bark": _INT,
    "friend_id": _maybe(_one_of(1, 2, 3, "a")),
    "friend_ids": _maybe(_several(_one_of(1, 2, 3, "a"))),
    "kid": _maybe(_THING),
    "must": lambda values, rng, depth: values.thing(rng, depth) if depth >= 0 else Bag(),
    "kids": _THINGS,
    "maybe_kids": _maybe(_THINGS),
    "grid": _maybe(_several(_THINGS)),
    "pet": _pet,
    "pets": _maybe(_several(_maybe(_pet))),
    "named": _maybe(_named),
    "nameds": _several(_named),
    "dog": _maybe(_dog),
    "dogs": _several(_dog),
    "special": _maybe(_THING),
    "specials": _maybe(_several(_maybe(_THING))),
    "node": _maybe(_THING),
    "leaf": _maybe(_THING),
    "nodes": _THINGS,
    "leaves": _THINGS,
    "query": _one_of(None, 0, Bag()),
}

_COLUMNS = {
    "class": ("class_",),
    "renamed": ("o",),
    "keyword": ("class",),
    "len": ("o",),
    "maybe_later": ("values",),
    "of_parent": ("v0",),
    "with_root": ("v0",),
    "with_info": ("o",),
    "argued": ("o",),
    "slow": ("o",),
    "guarded": ("o",),
    "guarded_later": ("o",),
    "shouted": ("c0",),
    "summed": ("o", "values"),
    "friend": ("friend_id",),
    "mate": ("friend_id",),
    "best": ("friend_id",),
    "friends": ("friend_ids",),
    "members": ("friend_id",),
    "loaded_pet": ("friend_id",),
    "loaded_number": ("friend_id",),
    "slow_kids": ("maybe_kids",),
    "some_kids": ("maybe_kids",),
    "made_kids": ("maybe_kids",),
}
"""The columns of the fields that read other columns than those with their own names."""

WAITING = frozenset(
    {"slow", "guarded_later", "friend", "best", "friends", "mate", "members", "loaded_pet", "loaded_number"}
    | {"slow_kids", "slow_nodes", "streamed"}
)
"""The fields whose results must be awaited."""

VALID_RECORDS = """
    SELECT 1 AS o, 2 AS values, 'x' AS c0, 'y' AS v0, 1.5::float8 AS x, true AS class_, false AS is_, 'id' AS i0,
        ARRAY[1, NULL] AS items, ARRAY[['a', NULL]] AS keys, ARRAY[[1]] AS strict, 'red' AS color, 100 AS money,
        gen_random_uuid() AS maybe_id, 'text' AS "class", 7 AS friend_id, ARRAY[1, 2] AS friend_ids, 1 AS step,
        'plain' AS odd, now() AS at, '{"a": 1}'::jsonb AS json, NULL AS type, NULL AS kid, NULL AS maybe_kids
"""
INVALID_RECORDS = """
    SELECT NULL AS o, 2::bigint << 40 AS values, NULL AS c0, 3 AS v0, 'NaN'::float8 AS x, 'infinity'::float8 AS maybe_x,
        1 AS class_, NULL AS is_, '\\x00'::bytea AS i0, ARRAY['x'] AS items, 'no' AS color, 1.5 AS money, 9 AS step
"""


def make(executor: Any, default_resolver: Any, extensions: Sequence[Any] = ()) -> strawberry.Schema:
    """Return a schema. Compared schemas need the same default resolver, because the fields keep only the latest one."""
    return strawberry.Schema(
        Query,
        config=StrawberryConfig(auto_camel_case=False, default_resolver=default_resolver, scalar_map=SCALARS),
        types=[Cat],
        execution_context_class=executor,
        extensions=[
            lambda: ParserCache(maxsize=77),
            DisableValidation,  # documents are valid, and each is executed many times
            *extensions,
        ],
    )
