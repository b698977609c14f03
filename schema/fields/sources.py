"""How a field is read from a database row: from a column, by a data loader, or by its resolver.

A resolver that reads rows from the database returns these rows, not instances of the Strawberry type that annotates the
resolver. Building an object for each row would take longer than reading the row. The source of a field determines which
columns the SELECT and the compiled executor (ADR 7) read for the field.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import strawberry
from strawberry.dataloader import DataLoader

from renewals.db.connection import Row
from renewals.domain import limits
from schema.context import Context, Info
from schema.limits import slices
from schema.loaders import Loaders

ROWS = frozenset({asyncpg.Record, dict})
"""The types of a row that a statement returns."""

KEY = "code"
"""The key column of the tables that can be joined. It is always selected with them."""

_METADATA_KEY = "reading"


class ColumnarRows(list[object]):
    """The rows of one statement, also by columns: `columns` maps a name to the values of all rows."""

    __slots__ = ("columns",)

    def __init__(self, rows: Sequence[asyncpg.Record]) -> None:
        super().__init__(rows)
        self.columns = dict(zip(rows[0].keys(), zip(*rows, strict=True), strict=True)) if rows else {}


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A source that reads a column of a row, or an attribute of an object."""

    column: str

    def within(self, table: str) -> "ColumnSource":
        """Return a copy of this source that reads the column of the joined table `table`."""
        return ColumnSource(f"{table}.{self.column}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source that loads the value by the key in a column. A null key means a null value."""

    loader: Callable[[Loaders], DataLoader[object, object]]
    column: str
    joined: str | None = None
    """The table that a statement may join. Its columns are then in the row as "table.column"."""
    is_count: bool = False
    """Whether the value is a number. Compiled code loads no other scalar."""

    def within(self, table: str) -> "Loaded":
        """Return a copy of this source that reads the key from the joined table `table`."""
        joined = self.joined and f"{table}.{self.joined}"
        return dataclasses.replace(self, column=f"{table}.{self.column}", joined=joined)

    def part_of(self, row: Row) -> dict[str, object]:
        """Return the columns of a row that belong to the joined table, without the prefix."""
        prefix = f"{self.joined}."
        return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}

    def is_in(self, row: Row) -> bool:
        """Return whether the statement joined the table, so that nothing needs to be loaded."""
        return self.joined is not None and type(row) in ROWS and f"{self.joined}.{KEY}" in row

    def of(self, context: Context) -> DataLoader[object, object]:
        """Return the loader of this source in a request."""
        return self.loader(context.load)


@dataclass(frozen=True, slots=True)
class Sliced:
    """A source that returns a slice of a list (`first`, `offset`).

    The column holds the whole list or, with `of_owner`, the key by which `loader` loads a slice. If the list is in the
    column, only the items of the slice are converted: `loader` loads them by their keys, or `make` builds them.
    """

    column: str
    loader: Callable[[Loaders], DataLoader[object, object]] | None = None
    of_owner: bool = False
    make: Callable[[object], object] | None = None

    def of(self, context: Context) -> DataLoader[object, object]:
        """Return the loader of this source in a request."""
        assert self.loader is not None
        return self.loader(context.load)


BatchRead = Callable[[Loaders, Sequence[tuple[Any, ...]]], Awaitable[Sequence[Any]]]
"""A function that computes the value of each row from its columns, in a fixed number of statements."""


@dataclass(frozen=True, slots=True)
class Batched:
    """A source that computes the values of all rows of a list in one call, from these columns of each row."""

    columns: tuple[str, ...]
    read: BatchRead


@dataclass(frozen=True, slots=True)
class Computed:
    """A source whose value the field's resolver computes from these columns."""

    columns: tuple[str, ...]


Reading = ColumnSource | Loaded | Sliced | Batched | Computed


def read(source: Any, name: str) -> Any:
    """Return a column of a row, or an attribute of any other object. This is the schema's default resolver."""
    return source[name] if type(source) in ROWS else getattr(source, name)


def column(name: str, *, description: str | None = None) -> Any:
    """Return a field that reads the column or attribute `name`. Use it if the field itself has another name."""

    def resolve(row: strawberry.Parent[object]) -> object:
        return read(row, name)

    return strawberry.field(
        resolver=resolve, description=description, metadata={_METADATA_KEY: ColumnSource(name)}
    )


def loaded(
    loader: Callable[[Loaders], DataLoader[Any, Any]],
    name: str,
    *,
    joined: str | None = None,
    is_count: bool = False,
    graphql_type: object = None,
    description: str | None = None,
) -> Any:
    """Return a field that is loaded by the key in the column `name`. Its type is `graphql_type` or the annotation."""
    reading = Loaded(loader, name, joined, is_count)

    async def resolve(row: strawberry.Parent[Any], info: Info) -> Any:
        key = read(row, name)
        if key is None:
            return None
        if reading.is_in(row):
            return reading.part_of(row)
        return await loader(info.context.load).load(key)

    return strawberry.field(
        resolver=resolve,
        description=description,
        metadata={_METADATA_KEY: reading},
        graphql_type=graphql_type,
    )


def sliced(
    name: str,
    *,
    loader: Callable[[Loaders], DataLoader[Any, Any]] | None = None,
    of_owner: bool = False,
    make: Callable[[Any], Any] | None = None,
    description: str | None = None,
) -> Any:
    """Return a field that is a slice of a list; see `Sliced`."""
    reading = Sliced(name, loader, of_owner, make)

    async def resolve(
        row: strawberry.Parent[object],
        info: Info,
        first: slices.First = limits.SLICE_ROWS_DEFAULT,
        offset: slices.Offset = 0,
    ) -> object:
        part, value = slices.checked(first, offset), read(row, name)
        if of_owner:
            return await reading.of(info.context).load((value, part))
        if value is None:
            return None
        items = part.of(value)
        if loader is not None:
            return await reading.of(info.context).load_many(items)
        return list(map(make, items)) if make else items

    return strawberry.field(resolver=resolve, description=description, metadata={_METADATA_KEY: reading})


def batched(batch_read: BatchRead, *columns: str, description: str | None = None) -> Any:
    """Return a field whose values are computed for all rows of a list in one call; see `Batched`."""

    async def resolve(row: strawberry.Parent[object], info: Info) -> Any:
        loader = info.context.load.batch(batch_read)
        return await loader.load(tuple([read(row, name) for name in columns]))

    return strawberry.field(
        resolver=resolve, description=description, metadata={_METADATA_KEY: Batched(columns, batch_read)}
    )


def counted(name: str, *, description: str | None = None) -> Any:
    """Return a field that is the length of the list in the column `name`."""

    def resolve(row: strawberry.Parent[object]) -> int:
        return len(read(row, name))

    return computed(resolve, name, description=description)


def computed(resolve: Callable[..., object], *columns: str, description: str | None = None) -> Any:
    """Return a field whose resolver takes the row and reads `columns` from it."""
    return strawberry.field(
        resolver=resolve, description=description, metadata={_METADATA_KEY: Computed(columns)}
    )


def reading_of(metadata: Mapping[Any, Any]) -> Reading | None:
    """Return how a field with this metadata is read; None if nothing is declared."""
    reading: Reading | None = metadata.get(_METADATA_KEY)
    return reading
