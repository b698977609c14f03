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

from renewals.domain import limits
from schema.context import Context, Info
from schema.fields.selected import Selected
from schema.limits import slices
from schema.loaders import Loaders

ROWS = frozenset({asyncpg.Record, dict})
"""The types of rows."""

KEY = "code"
"""The column by which a joined table is joined; it is always among its columns in the row."""

_READING = "reading"


class ColumnarRows(list[Any]):
    """Rows that have the same columns, as those of one statement do: `columns` are all of them by their names."""

    __slots__ = ("columns",)

    def __init__(self, rows: Sequence[asyncpg.Record]) -> None:
        super().__init__(rows)
        self.columns = dict(zip(rows[0].keys(), zip(*rows, strict=True), strict=True)) if rows else {}


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """The value stands in a column of a row, or in an attribute of an object."""

    column: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The value is loaded by the key in a column; a key that is null is a value that is null."""

    loader: Callable[[Loaders], DataLoader[Any, Any]]
    column: str
    joined: str | None = None
    """The table that the statement may have joined, whose columns are then in the row as "table.column"."""
    is_count: bool = False
    """The value is a plain number, the one kind of leaf that compiled code loads."""

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
class Sliced:
    """The value is a slice of a list (`first`, `offset`).

    The column holds the whole list, or (`of_owner`) the key by which the loader finds a slice of it. Of a list in
    memory the slice alone is loaded by its items, which are keys, or made by `make`.
    """

    column: str
    loader: Callable[[Loaders], DataLoader[Any, Any]] | None = None
    of_owner: bool = False
    make: Callable[[Any], Any] | None = None

    def of(self, context: Context) -> DataLoader[Any, Any]:
        assert self.loader is not None
        return self.loader(context.load)


@dataclass(frozen=True, slots=True)
class Computed:
    """The value is worked out by the field's resolver from these columns."""

    columns: tuple[str, ...]


Reading = ColumnSource | Loaded | Sliced | Computed


def read(source: Any, name: str) -> Any:
    """The schema's default resolver: from a row by column, from anything else by attribute."""
    return source[name] if type(source) in ROWS else getattr(source, name)


def column(name: str, *, description: str | None = None) -> Any:
    """A field whose column, or attribute, has another name."""

    def resolve(row: strawberry.Parent[Any]) -> Any:
        return read(row, name)

    return strawberry.field(
        resolver=resolve, description=description, metadata={_READING: ColumnSource(name)}
    )


def loaded(
    loader: Callable[[Loaders], DataLoader[Any, Any]],
    name: str,
    *,
    joined: str | None = None,
    is_count: bool = False,
    description: str | None = None,
) -> Any:
    """A field that is loaded by the key in the column of that name."""
    reading = Loaded(loader, name, joined, is_count)

    async def resolve(row: strawberry.Parent[Any], info: Info) -> Any:
        key = read(row, name)
        if key is None:
            return None
        if reading.is_in(row):
            return reading.part_of(row)
        return await loader(info.context.load).load(key)

    return strawberry.field(resolver=resolve, description=description, metadata={_READING: reading})


def sliced(
    name: str,
    *,
    loader: Callable[[Loaders], DataLoader[Any, Any]] | None = None,
    of_owner: bool = False,
    make: Callable[[Any], Any] | None = None,
    description: str | None = None,
) -> Any:
    """A field that is a slice of a list, as `Sliced` says."""
    reading = Sliced(name, loader, of_owner, make)

    async def resolve(
        row: strawberry.Parent[Any],
        info: Info,
        first: slices.First = limits.SLICE_ROWS_DEFAULT,
        offset: slices.Offset = 0,
    ) -> Any:
        part, value = slices.checked(first, offset), read(row, name)
        if of_owner:
            return await reading.of(info.context).load((value, part))
        if value is None:
            return None
        items = part.of(value)
        if loader is not None:
            return await reading.of(info.context).load_many(items)
        return list(map(make, items)) if make else items

    return strawberry.field(resolver=resolve, description=description, metadata={_READING: reading})


def counted(name: str, *, description: str | None = None) -> Any:
    """A field that is the length of the list in the column of that name."""

    def resolve(row: strawberry.Parent[Any]) -> int:
        return len(read(row, name))

    return computed(resolve, name, description=description)


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
            case _, ColumnSource(column) | Loaded(column=column) | Sliced(column=column):
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
