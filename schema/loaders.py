"""Data loaders of a request. Each reads a nested field for many rows in one call."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from renewals import catalog
from renewals.accounts import queries as accounts_queries
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import attempts
from renewals.db import connection as database
from renewals.db.connection import Connection, Row
from renewals.domain import model
from renewals.forecasts import instance_forecast
from renewals.instances import queries as instances_queries
from renewals.orders import queries as orders_queries
from schema.limits import slices

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
LatestKey = tuple[str, int]
"""The id of an instance, and how many of its latest orders or renewal attempts to read."""
SliceKey = tuple[object, slices.Slice]
"""The key of the row that has a list, and a slice of this list."""


class OrderLoaders:
    """Loaders for parts of orders, for vouchers and for types of data centers. Each loader is created at its first use.

    If `account_id` is None, the loaders read rows of all accounts, for operators.
    """

    def __init__(self, account_id: str | None = None) -> None:
        self._account_id = account_id

    def _scoped(
        self,
        fetch: Callable[[Connection, Any, list[Key]], Awaitable[Mapping[Key, Value]]],
        missing: object = None,
    ) -> DataLoader[Key, Value]:
        """Return a loader that passes the account id to `fetch`. Use it for every loader of an account's rows."""
        return _loader(lambda connection, keys: fetch(connection, self._account_id, keys), missing)

    @cached_property
    def data_center_type(self) -> DataLoader[str, Row]:
        """Types of data centers by code."""
        return _loader(lambda connection, codes: _by_code(catalog.fetch_data_center_types(connection)))

    @cached_property
    def lines(self) -> DataLoader[SliceKey, list[Row]]:
        """Lines of orders."""
        return self._scoped(_per_slice(orders_queries.fetch_lines), [])

    @cached_property
    def line_count(self) -> DataLoader[uuid.UUID, int]:
        """The number of lines of each order."""
        return self._scoped(orders_queries.count_lines, 0)

    @cached_property
    def refunds(self) -> DataLoader[uuid.UUID, list[Row]]:
        """Refunds of orders."""
        return self._scoped(orders_queries.fetch_refunds, [])

    @cached_property
    def refund_lines(self) -> DataLoader[SliceKey, list[Row]]:
        """Lines of refunds."""
        return self._scoped(_per_slice(orders_queries.fetch_refund_lines), [])

    @cached_property
    def refund_line_count(self) -> DataLoader[uuid.UUID, int]:
        """The number of lines of each refund."""
        return self._scoped(orders_queries.count_refund_lines, 0)

    @cached_property
    def refund_vouchers(self) -> DataLoader[uuid.UUID, list[Row]]:
        """Amounts returned to vouchers, by refund."""
        return self._scoped(orders_queries.fetch_refund_vouchers, [])

    @cached_property
    def voucher(self) -> DataLoader[str, Row]:
        """Vouchers by id."""
        return self._scoped(accounts_queries.fetch_vouchers_by_id)


class Loaders(OrderLoaders):
    """All loaders of a request of one account."""

    def __init__(self, account_id: str, now: dt.datetime) -> None:
        super().__init__(account_id)
        self._now = now
        self._batches: dict[Callable[..., object], DataLoader[tuple[object, ...], object]] = {}

    @property
    def now(self) -> dt.datetime:
        """The instant of all queries of the request."""
        return self._now

    def batch(
        self, read: Callable[["Loaders", list[tuple[object, ...]]], Awaitable[Sequence[object]]]
    ) -> DataLoader[tuple[object, ...], object]:
        """Return the request's loader that computes the values of many rows in one call of `read`."""
        if read not in self._batches:
            load: Any = partial(read, self)
            self._batches[read] = DataLoader(load_fn=load)
        return self._batches[read]

    async def read_account(self) -> model.Account:
        """Return the account of the request, which is read only once."""
        assert self._account_id is not None
        return await self._account.load(self._account_id)

    @cached_property
    def _account(self) -> DataLoader[str, model.Account]:
        return _loader(accounts_repository.read_accounts)

    @cached_property
    def discount_tiers(self) -> DataLoader[str, Sequence[Row]]:
        """Discount tiers by product code."""
        return _loader(catalog.fetch_discount_tiers, [])

    @cached_property
    def product(self) -> DataLoader[str, Row]:
        """Products by code."""
        return _loader(lambda connection, codes: _by_code(catalog.fetch_products(connection)))

    @cached_property
    def data_center(self) -> DataLoader[str, Row]:
        """Data centers by code."""
        return _loader(lambda connection, codes: _by_code(catalog.fetch_data_centers(connection)))

    @cached_property
    def bundle(self) -> DataLoader[str, Row]:
        """Bundles by id."""
        return self._scoped(instances_queries.fetch_bundles)

    @cached_property
    def bundle_instances(self) -> DataLoader[SliceKey, list[Row]]:
        """Members of bundles."""
        return self._scoped(
            _per_slice(partial(instances_queries.fetch_instances_of_bundles, now=self._now)), []
        )

    @cached_property
    def instance(self) -> DataLoader[str, Row]:
        """Instances by id."""
        return self._scoped(partial(instances_queries.fetch_instances_by_id, now=self._now))

    @cached_property
    def outlook(self) -> DataLoader[str, instance_forecast.InstanceForecast]:
        """Forecasts of instances, by id."""
        return self._scoped(
            lambda _, account_id, ids: instance_forecast.read_instance_forecasts(account_id, ids, self._now)
        )

    @cached_property
    def order(self) -> DataLoader[uuid.UUID, Row]:
        """Orders by id."""
        return self._scoped(orders_queries.fetch_orders_by_id)

    @cached_property
    def voucher_uses(self) -> DataLoader[uuid.UUID, list[Row]]:
        """Amounts that vouchers paid, by order."""
        return self._scoped(orders_queries.fetch_voucher_uses, [])

    @cached_property
    def attempts(self) -> DataLoader[LatestKey, list[Row]]:
        """The latest renewal attempts of each instance."""
        return self._scoped(_per_part(attempts.fetch_attempts), [])

    @cached_property
    def orders(self) -> DataLoader[LatestKey, list[Row]]:
        """The latest orders of each instance."""
        return self._scoped(_per_part(orders_queries.fetch_instance_orders), [])


def _loader(
    fetch: Callable[[Connection, list[Key]], Awaitable[Mapping[Key, Value]]], missing: Any = None
) -> DataLoader[Key, Value]:
    """Return a loader that reads many keys in one call of `fetch`, and returns `missing` for a key without a result."""

    async def load(keys: list[Key]) -> list[Value]:
        values = await fetch(database.pool(), keys)
        return [values.get(key, missing) for key in keys]

    return DataLoader(load_fn=load)


async def _by_code(rows: Awaitable[Sequence[Row]]) -> dict[str, Row]:
    return {row["code"]: row for row in await rows}


def _per_slice(fetch: Callable[..., Awaitable[Mapping[Any, list[Row]]]]) -> Any:
    """Return a function that reads lists by an owner's key and a slice; `fetch` takes the slice as two arguments."""
    return _per_part(lambda connection, account_id, keys, part: fetch(connection, account_id, keys, *part))


def _per_part(fetch: Callable[[Connection, Any, Any, Any], Awaitable[Mapping[Any, list[Row]]]]) -> Any:
    """Return a function that reads lists by an owner's key and the wanted part of the list.

    A part is a slice, or a number of latest rows. The function calls `fetch` once for each distinct part.
    """

    async def fetch_parts(
        connection: Connection, account_id: str, keys_and_parts: list[tuple[object, object]]
    ) -> dict[tuple[object, object], list[Row]]:
        result: dict[tuple[object, object], list[Row]] = {}
        for part in {part for _, part in keys_and_parts}:
            keys = [key for key, key_part in keys_and_parts if key_part == part]
            rows = await fetch(connection, account_id, keys, part)
            result |= {(key, part): rows.get(key, []) for key in keys}
        return result

    return fetch_parts
