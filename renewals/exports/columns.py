"""The types of exportable columns and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, Self

from renewals.domain import errors
from renewals.domain.messages import Message


class ColumnType(Enum):
    """The type of a column's values, which determines how they are written."""

    TEXT = auto()
    NUMBER = auto()
    MONEY = auto()
    INSTANT = auto()
    BOOLEAN = auto()
    ENUM = auto()
    CONFIGURATION = auto()
    TAGS = auto()


class ExportColumn(NamedTuple):
    """A column: its name (a path such as `product.code`), its label, its SQL expression, and the type of its values.

    `words` are the labels of an enum's values. Columns with `is_default` are exported if the caller makes no selection.
    """

    name: str
    label: Message
    sql: str
    kind: ColumnType = ColumnType.TEXT
    words: Mapping[str, Message] | None = None
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class ExportTable:
    """An exportable table; the SQL of its columns can use the aliases of `joins`, and `{now}` for the current time."""

    name: str
    title: Message
    source: str
    columns: Mapping[str, ExportColumn]
    joins: Mapping[str, str]

    @classmethod
    def of(
        cls, name: str, title: Message, source: str, joins: Mapping[str, str], columns: Sequence[ExportColumn]
    ) -> Self:
        """Return the table with its columns by name."""
        return cls(name, title, source, {column.name: column for column in columns}, joins)

    def select_columns(self, names: Sequence[str] | None) -> tuple[ExportColumn, ...]:
        """Return the columns with these names, in the order of the names; if `names` is None, the default columns.

        Raises InvalidInputError for an empty selection, for unknown or repeated names, and for a field together
        with a part of it, because JSON Lines can have only one of the two.
        """
        if names is None:
            return tuple(column for column in self.columns.values() if column.is_default)
        if not names:
            raise errors.InvalidInputError("columns", Message("must name at least one column"))
        for number, name in enumerate(names):
            if name not in self.columns:
                reason = Message(
                    "unknown column {name!r}; available columns: {columns}",
                    name=name,
                    columns=tuple(self.columns),
                )
                raise errors.InvalidInputError("columns", reason)
            if name in names[:number]:
                raise errors.InvalidInputError("columns", Message("column {name!r} is repeated", name=name))
            for part in names:
                if part.startswith(f"{name}."):
                    reason = Message(
                        "columns {name!r} and {part!r} cannot be combined; select one of them",
                        name=name,
                        part=part,
                    )
                    raise errors.InvalidInputError("columns", reason)
        return tuple(self.columns[name] for name in names)
