"""How a field is read from a row of the database: its own column, another one, or by a loader with its key.

What a field says here is all that the executor and a SELECT need to know of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import strawberry
from strawberry.dataloader import DataLoader

from schema.context import Context, Info
from schema.loaders import Loaders

ROWS = frozenset({asyncpg.Record, dict})
"""The types of rows."""

_READING = "reading"


@dataclass(frozen=True, slots=True)
class Column:
    """The value stands in a column of a row, or in an attribute of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The value is loaded by the key in a column; a key that is null is a value that is null."""

    loader: Callable[[Loaders], DataLoader[Any, Any]]
    column: str
    many: bool
    """The column holds a list of keys, and the value is a list."""

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
    description: str | None = None,
) -> Any:
    """A field that is loaded by the key (`many`: the list of keys) in the column of that name."""

    async def resolve(row: strawberry.Parent[Any], info: Info) -> Any:
        key = read(row, name)
        if key is None:
            return None
        found = loader(info.context.load)
        return await (found.load_many(key) if many else found.load(key))

    reading = Loaded(loader, name, many)
    return strawberry.field(resolver=resolve, description=description, metadata={_READING: reading})


def computed(resolve: Callable[..., Any], *columns: str, description: str | None = None) -> Any:
    """A field whose resolver takes the row and reads these columns of it."""
    return strawberry.field(resolver=resolve, description=description, metadata={_READING: Computed(columns)})


def reading_of(metadata: Mapping[Any, Any]) -> Reading | None:
    """What a field with this metadata says of its reading."""
    found: Reading | None = metadata.get(_READING)
    return found


def columns_of(object_type: type, field_names: Iterable[str]) -> set[str]:
    """The columns that some fields of a type read, the fields by their names in Python."""
    definition = object_type.__strawberry_definition__  # type: ignore[attr-defined]
    wanted = set(field_names)
    columns: set[str] = set()
    for field in definition.fields:
        if field.python_name in wanted:
            match reading_of(field.metadata):
                case Column(name) | Loaded(column=name):
                    columns.add(name)
                case Computed(names):
                    columns.update(names)
                case None:
                    columns.add(field.python_name)
    return columns
