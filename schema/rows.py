"""How a field is read from a row of the database: its own column, another one, or by a loader with its key.

What a field says here is all that the executor and a SELECT need to know of it.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from schema.context import Context, Info
from schema.loaders import Loaders
from schema.selection import Selected

ROWS = frozenset({asyncpg.Record, dict})
"""The types of rows."""

KEY = "code"
"""The column by which a joined table is joined; it is always among its columns in the row."""

_READING = "reading"


class Uniform(list[Any]):
    """Rows that have the same columns, as those of one statement do: `columns` are all of them by their names."""

    __slots__ = ("columns",)

    def __init__(self, rows: Sequence[asyncpg.Record]) -> None:
        super().__init__(rows)
        self.columns = dict(zip(rows[0].keys(), zip(*rows, strict=True), strict=True)) if rows else {}


@dataclass(frozen=True, slots=True)
class Column:
    """The value stands in a column of a row, or in an attribute of an object."""

    column: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The value is loaded by the key in a column; a key that is null is a value that is null."""

    loader: Callable[[Loaders], DataLoader[Any, Any]]
    column: str
    many: bool = False
    """The column holds a list of keys, and the value is a list."""
    joined: str | None = None
    """The table that the statement may have joined, whose columns are then in the row as "table.column"."""

    def part_of(self, row: Any) -> dict[str, Any]:
        """The value that is in the row."""
        prefix = f"{self.joined}."
        return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}

    def is_in(self, row: Any) -> bool:
        """Whether the value is in the row already."""
        return self.joined is not None and type(row) in ROWS and f"{self.joined}.{KEY}" in row

    def of(self, context: Context) -> DataLoader[Any, Any]:
        return self.loader(context.load)


@dataclass(frozen=True, slots=True)
class Computed:
    """The value is worked out by the field's resolver from these columns."""

    columns: tuple[str, ...]


Reading = Column | Loaded | Computed


def read(source: Any, name: str) -> Any:
    """The schema's default resolver: from a row by column, from anything else by attribute."""
    return source[name] if type(source) in ROWS else getattr(source, name)


def column(name: str, *, description: str | None = None) -> Any:
    """A field whose column, or attribute, has another name."""

    def resolve(row: strawberry.Parent[Any]) -> Any:
        return read(row, name)

    return strawberry.field(resolver=resolve, description=description, metadata={_READING: Column(name)})


def loaded(
    loader: Callable[[Loaders], DataLoader[Any, Any]],
    name: str,
    *,
    many: bool = False,
    joined: str | None = None,
    description: str | None = None,
) -> Any:
    """A field that is loaded by the key (`many`: the list of keys) in the column of that name."""
    reading = Loaded(loader, name, many, joined)

    async def resolve(row: strawberry.Parent[Any], info: Info) -> Any:
        key = read(row, name)
        if key is None:
            return None
        if reading.is_in(row):
            return reading.part_of(row)
        found = loader(info.context.load)
        return await (found.load_many(key) if many else found.load(key))

    return strawberry.field(resolver=resolve, description=description, metadata={_READING: reading})


def computed(resolve: Callable[..., Any], *columns: str, description: str | None = None) -> Any:
    """A field whose resolver takes the row and reads these columns of it."""
    return strawberry.field(resolver=resolve, description=description, metadata={_READING: Computed(columns)})


def reading_of(metadata: Mapping[Any, Any]) -> Reading | None:
    """What a field with this metadata says of its reading."""
    found: Reading | None = metadata.get(_READING)
    return found


@functools.lru_cache(1_000)
def columns_of(object_type: Any, selected: Selected) -> frozenset[str]:
    """The columns that the selected fields of a type read, those of tables that can be joined among them."""
    fields = _fields(object_type)
    columns: set[str] = set()
    for name, below in selected.fields.items():
        if name not in fields:
            continue
        match fields[name]:
            case field, Loaded(column=column, joined=str(table)):
                of_type: Any = field.type
                joined = {KEY, *columns_of(of_type, below)}
                columns |= {column, *(f"{table}.{name}" for name in joined)}
            case _, Column(column) | Loaded(column=column):
                columns.add(column)
            case _, Computed(several):
                columns.update(several)
            case field, None:
                columns.add(field.python_name)
    return frozenset(columns)


@functools.cache
def _fields(object_type: Any) -> dict[str, tuple[StrawberryField, Reading | None]]:
    """The fields of a type by their names in GraphQL, each with what it says of its reading."""
    return {
        field.graphql_name or to_camel_case(field.python_name): (field, reading_of(field.metadata))
        for field in object_type.__strawberry_definition__.fields
    }
