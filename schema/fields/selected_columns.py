"""The columns that a SELECT must read for the fields that a document selects."""

import functools
from typing import Any

from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from schema.fields import sources
from schema.fields.selected import Selected


@functools.lru_cache(1_000)
def columns_of(object_type: object, selected: Selected) -> frozenset[str]:
    """Return the columns that the selected fields of a type read, including those of joined tables."""
    fields = _fields(object_type)
    columns: set[str] = set()
    for name, below in selected.fields.items():
        if name not in fields:
            continue
        match fields[name]:
            case field, sources.Loaded(column=column, joined=str(table)):
                columns |= {column, *_joined_columns(field, table, below)}
            case _, sources.ColumnSource(column) | sources.Loaded(column=column) | sources.Sliced(
                column=column
            ):
                columns.add(column)
            case _, sources.Computed(read_columns) | sources.Batched(columns=read_columns):
                columns.update(read_columns)
            case field, None:
                columns.add(field.python_name)
    return frozenset(columns)


def _joined_columns(field: StrawberryField, table: str, below: Selected) -> set[str]:
    """Return the columns to read from a joined table, with its name as a prefix, or none if a loader must read the row.

    A loader must read the row if a selected field is neither a column nor a joined table.
    """
    joined_type: object = field.type
    readings = [_fields(joined_type)[name][1] for name in below.fields if name in _fields(joined_type)]
    if not all(map(_is_joinable, readings)):
        return set()
    return {f"{table}.{name}" for name in (sources.KEY, *columns_of(joined_type, below))}


def _is_joinable(reading: sources.Reading | None) -> bool:
    """Return whether a statement that joins the table of a type can read a field of this type that has this reading."""
    is_joined = isinstance(reading, sources.Loaded) and reading.joined is not None
    return reading is None or isinstance(reading, sources.ColumnSource) or is_joined


@functools.cache
def _fields(object_type: Any) -> dict[str, tuple[StrawberryField, sources.Reading | None]]:
    """Return the fields of a type by their GraphQL names, each with how it is read."""
    return {
        field.graphql_name or to_camel_case(field.python_name): (field, sources.reading_of(field.metadata))
        for field in object_type.__strawberry_definition__.fields
    }
