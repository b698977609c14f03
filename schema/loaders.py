"""Loaders of one request: nested fields of many rows are read in one statement each."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from renewals import database, details, queries
from renewals.database import Connection, Row

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
First = tuple[str, int]
"""The id of an instance, and how many of its latest rows."""


class Loaders:
    """The loaders of one account's request."""

    def __init__(self, account_id: str, now: dt.datetime) -> None:
        self.product = _loader(lambda c, codes: _by_code(details.fetch_products(c)))
        self.data_center = _loader(lambda c, codes: _by_code(details.fetch_data_centers(c)))
        self.bundle: DataLoader[str, Row] = _loader(details.fetch_bundles)
        self.instance: DataLoader[str, Row] = _loader(
            lambda c, ids: queries.fetch_instances_by_id(c, account_id, ids, now)
        )
        self.order: DataLoader[uuid.UUID, Row] = _loader(
            lambda c, ids: details.fetch_orders_by_id(c, account_id, ids)
        )
        self.voucher: DataLoader[str, Row] = _loader(
            lambda c, ids: details.fetch_vouchers_by_id(c, account_id, ids)
        )
        self.lines: DataLoader[uuid.UUID, list[Row]] = _loader(details.fetch_lines, [])
        self.voucher_uses: DataLoader[uuid.UUID, list[Row]] = _loader(details.fetch_voucher_uses, [])
        self.attempts: DataLoader[First, list[Row]] = _loader(_per_first(details.fetch_attempts), [])
        self.orders: DataLoader[First, list[Row]] = _loader(_per_first(details.fetch_instance_orders), [])


def _loader(
    fetch: Callable[[Connection, list[Key]], Awaitable[Mapping[Key, Value]]], missing: Any = None
) -> DataLoader[Key, Value]:
    """A loader of a batch read; `missing` is for a key of which nothing was found."""

    async def load(keys: list[Key]) -> list[Value]:
        found = await fetch(database.pool(), keys)
        return [found.get(key, missing) for key in keys]

    return DataLoader(load_fn=load)


async def _by_code(reading: Awaitable[Sequence[Row]]) -> dict[str, Row]:
    return {row["code"]: row for row in await reading}


def _per_first(
    fetch: Callable[[Connection, Sequence[str], int], Awaitable[Mapping[str, list[Row]]]],
) -> Callable[[Connection, list[First]], Awaitable[Mapping[First, list[Row]]]]:
    """One statement for each number of rows asked for, of which a document seldom has two."""

    async def fetch_each(connection: Connection, keys: list[First]) -> dict[First, list[Row]]:
        found: dict[First, list[Row]] = {}
        for first in {first for _, first in keys}:
            ids = [instance_id for instance_id, each in keys if each == first]
            rows = await fetch(connection, ids, first)
            found |= {(instance_id, first): rows.get(instance_id, []) for instance_id in ids}
        return found

    return fetch_each
