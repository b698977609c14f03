"""Loaders of one request: nested fields of many rows are read in one statement each."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from renewals import catalog
from renewals.accounts import queries as accounts_queries
from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.db.connection import Connection, Row
from renewals.forecasts import instance_forecast
from renewals.instances import queries as instances_queries
from renewals.orders import queries as orders_queries
from schema.limits import slices

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
First = tuple[str, int]
"""The id of an instance, and how many of its latest rows."""
SliceOf = tuple[Any, slices.Slice]
"""The key of what has a list, and a slice of that."""


class OrderLoaders:
    """The loaders of what hangs on orders that are known, each made when it is first used.

    Without an account they are an operator's, who sees every account.
    """

    def __init__(self, account_id: str | None = None) -> None:
        self._account_id = account_id

    def _own(
        self,
        fetch: Callable[[Connection, Any, list[Key]], Awaitable[Mapping[Key, Value]]],
        missing: Any = None,
    ) -> DataLoader[Key, Value]:
        """A loader of a read within the account: the one place where nested reads are given theirs."""
        return _loader(lambda connection, keys: fetch(connection, self._account_id, keys), missing)

    @cached_property
    def lines(self) -> DataLoader[SliceOf, list[Row]]:
        return self._own(_per_slice(orders_queries.fetch_lines), [])

    @cached_property
    def line_count(self) -> DataLoader[uuid.UUID, int]:
        return self._own(orders_queries.count_lines, 0)

    @cached_property
    def refunds(self) -> DataLoader[uuid.UUID, list[Row]]:
        return self._own(orders_queries.fetch_refunds, [])

    @cached_property
    def refund_lines(self) -> DataLoader[SliceOf, list[Row]]:
        return self._own(_per_slice(orders_queries.fetch_refund_lines), [])

    @cached_property
    def refund_line_count(self) -> DataLoader[uuid.UUID, int]:
        return self._own(orders_queries.count_refund_lines, 0)

    @cached_property
    def refund_vouchers(self) -> DataLoader[uuid.UUID, list[Row]]:
        return self._own(orders_queries.fetch_refund_vouchers, [])

    @cached_property
    def voucher(self) -> DataLoader[str, Row]:
        return self._own(accounts_queries.fetch_vouchers_by_id)


class Loaders(OrderLoaders):
    """The loaders of one account's request."""

    def __init__(self, account_id: str, now: dt.datetime) -> None:
        super().__init__(account_id)
        self._now = now

    @cached_property
    def product(self) -> DataLoader[str, Row]:
        return _loader(lambda connection, codes: _by_code(catalog.fetch_products(connection)))

    @cached_property
    def data_center(self) -> DataLoader[str, Row]:
        return _loader(lambda connection, codes: _by_code(catalog.fetch_data_centers(connection)))

    @cached_property
    def bundle(self) -> DataLoader[str, Row]:
        return self._own(instances_queries.fetch_bundles)

    @cached_property
    def bundle_instances(self) -> DataLoader[SliceOf, list[Row]]:
        return self._own(_per_slice(partial(instances_queries.fetch_instances_of_bundles, now=self._now)), [])

    @cached_property
    def instance(self) -> DataLoader[str, Row]:
        return self._own(partial(instances_queries.fetch_instances_by_id, now=self._now))

    @cached_property
    def outlook(self) -> DataLoader[str, instance_forecast.InstanceForecast]:
        return self._own(
            lambda _, account_id, ids: instance_forecast.read_instance_forecasts(account_id, ids, self._now)
        )

    @cached_property
    def order(self) -> DataLoader[uuid.UUID, Row]:
        return self._own(orders_queries.fetch_orders_by_id)

    @cached_property
    def voucher_uses(self) -> DataLoader[uuid.UUID, list[Row]]:
        return self._own(orders_queries.fetch_voucher_uses, [])

    @cached_property
    def attempts(self) -> DataLoader[First, list[Row]]:
        return self._own(_per_part(runs.fetch_attempts), [])

    @cached_property
    def orders(self) -> DataLoader[First, list[Row]]:
        return self._own(_per_part(orders_queries.fetch_instance_orders), [])


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


def _per_slice(fetch: Callable[..., Awaitable[Mapping[Any, list[Row]]]]) -> Any:
    """A read of keys each with its slice."""
    return _per_part(lambda connection, account_id, keys, part: fetch(connection, account_id, keys, *part))


def _per_part(fetch: Callable[[Connection, Any, Any, Any], Awaitable[Mapping[Any, list[Row]]]]) -> Any:
    """A read of keys each with the part that it wants: one statement a part, of which a document seldom has two."""

    async def fetch_each(
        connection: Connection, account_id: str, wanted: list[tuple[Any, Any]]
    ) -> dict[tuple[Any, Any], list[Row]]:
        found: dict[tuple[Any, Any], list[Row]] = {}
        for part in {part for _, part in wanted}:
            keys = [key for key, each in wanted if each == part]
            rows = await fetch(connection, account_id, keys, part)
            found |= {(key, part): rows.get(key, []) for key in keys}
        return found

    return fetch_each
