"""Helpers that create accounts and instances in a test's database, through the domain's own writers.

Amounts are decimal strings, and days are ISO dates in the account's zone:

    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from renewals import catalog
from renewals.accounts import api_keys, ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.demo import loader
from renewals.domain import clock as clocks
from renewals.domain import dates, model, money, pricing, registration_report
from renewals.domain import registration as registrations
from renewals.instances import repository as instances_repository
from renewals.operators import audit_log, refunds

NOW = dt.datetime(2027, 1, 10, 4, 0, tzinfo=dt.UTC)
"""Noon of 10 January 2027 in Shanghai: the creation time of all test data, and the default clock."""

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
"""The default start of an account's automatic renewals. Tests of the cut-over set another instant."""

PRODUCTS = (
    catalog.ProductRecord("eip", "Elastic IP", "弹性IP", tiers=(pricing.DiscountTier(12, 1700),)),
    catalog.ProductRecord("kec", "Elastic Compute", "云服务器", retention_days=365),
    catalog.ProductRecord("ebs", "Elastic Block Storage", "云硬盘"),
    catalog.ProductRecord("kes", "Elasticsearch", "Elasticsearch服务"),
    catalog.ProductRecord(
        "ddos", "Anti-DDoS IP", "高防IP", unsupported_reason="Not needed.", unsupported_reason_zh="暂不需要。"
    ),
    catalog.ProductRecord(
        "cert",
        "Certificates",
        "证书管理",
        unsupported_reason="Resubmit.",
        unsupported_reason_zh="需重新提交。",
    ),
)
DATA_CENTER_TYPES = (
    catalog.DataCenterTypeRecord("VPC", "Virtual private cloud", "专有网络"),
    catalog.DataCenterTypeRecord("CLASSIC", "Classic network", "经典网络"),
    catalog.DataCenterTypeRecord("EDGE", "Edge", "边缘节点"),
    catalog.DataCenterTypeRecord("DEDICATED", "Dedicated", "专属机房"),
)
DATA_CENTERS = (
    catalog.DataCenterRecord("bj-6", "北京6区(VPC)", "VPC"),
    catalog.DataCenterRecord("bj-1", "北京1区", "CLASSIC"),
    catalog.DataCenterRecord("gz-edge", "广州边缘", "EDGE"),
    catalog.DataCenterRecord("sh-own", "上海专属", "DEDICATED"),
)

NO_TRACE = frozenset(
    {"tortoise_migrations", "api_keys", "renewal_runs", "renewal_chunks", "renewal_attempts"}
)
"""The tables that a snapshot omits: the records of migrations and attempts, and the API keys that tests create."""


EVENTS = frozenset({"events", "event_streams"})


def fixed_clock(instant: dt.datetime) -> clocks.Clock:
    """Return a clock that always shows `instant`."""
    return lambda: instant


class World:
    """The contents of a test's database."""

    def __init__(self) -> None:
        self._zones: dict[str, ZoneInfo] = {}
        self._bundles: set[str] = set()

    async def put_catalogue(self) -> None:
        """Insert PRODUCTS, DATA_CENTER_TYPES and DATA_CENTERS."""
        async with database.transaction() as connection:
            await catalog.upsert_products(connection, PRODUCTS)
            await catalog.upsert_data_center_types(connection, DATA_CENTER_TYPES)
            await catalog.upsert_data_centers(connection, DATA_CENTERS)

    async def load_demo(self, day: dt.date = loader.DAY) -> None:
        """Load the demo account with its own catalog, which replaces the test catalog."""
        for table in ("discount_tiers", "products", "data_centers", "data_center_types"):
            await database.execute(database.pool(), f"DELETE FROM {table}")
        await loader.load(day)

    async def account(
        self,
        account_id: str = "a",
        *,
        balance: str = "0.00",
        zone: str = "Asia/Shanghai",
        lead_days: int | None = None,
        auto_renew_from: dt.datetime = LONG_AGO,
        language: model.Language = model.Language.EN,
        test_clock: dt.datetime | None = None,
    ) -> str:
        """Open an account, and top up its balance unless it is zero."""
        self._zones[account_id] = ZoneInfo(zone)
        async with database.transaction() as connection:
            await accounts_repository.open_account(
                connection,
                account_id=account_id,
                name=f"Account {account_id}",
                zone=ZoneInfo(zone),
                now=NOW,
                lead_days=lead_days,
                auto_renew_from=auto_renew_from,
                language=language,
                test_clock=test_clock,
            )
        if money.parse_cents(balance):
            await self.top_up(balance, account=account_id)
        return account_id

    async def top_up(self, amount: str, *, account: str = "a") -> None:
        """Add an amount to an account's balance."""
        async with database.transaction() as connection:
            await ledger.top_up(connection, account, money.parse_cents(amount), memo="Top-up", now=NOW)

    async def key(self, account: str = "a", *, role: str = "RENEWER") -> str:
        """Create an API key of an account and return it."""
        async with database.transaction() as connection:
            return await api_keys.create(connection, account, NOW, role=model.Role(role))

    async def operator_key(self, name: str = "ops") -> str:
        """Create an operator's key and return it."""
        async with database.transaction() as connection:
            return await api_keys.create(connection, None, NOW, role=model.Role.OPERATOR, name=name)

    async def instance(self, instance_id: str, **options: Any) -> str:
        """Register one instance; see `registration` for its options."""
        await self.instances([instance_id], **options)
        return instance_id

    async def instances(self, ids: Sequence[str], *, account: str = "a", **options: Any) -> list[str]:
        """Register instances that differ only in their id; with `bundle`, they are its members."""
        rows = [registration(instance_id, **options) for instance_id in ids]
        bundles = {row.bundle_id: f"Bundle {row.bundle_id}" for row in rows if row.bundle_id}
        new = {bundle_id: name for bundle_id, name in bundles.items() if bundle_id not in self._bundles}
        async with database.transaction() as connection:
            locked = (await accounts_repository.lock_accounts(connection, [account]))[account]
            registrations.raise_if_refused(
                await instances_repository.register(connection, locked, rows, new, NOW)
            )
        self._bundles |= new.keys()
        return list(ids)

    async def put(self, instance_id: str, **columns: object) -> None:
        """Set columns of an instance to values that registration would refuse."""
        for name, value in columns.items():
            sql = f"UPDATE instances SET {name} = $2 WHERE id = $1"
            assert await database.execute(database.pool(), sql, instance_id, value) == 1

    async def voucher(
        self,
        amount: str,
        *,
        expires: str = "2027-12-31",
        account: str = "a",
        products: Sequence[str] = (),
        voucher_id: str | None = None,
    ) -> str:
        """Issue a voucher that is valid to the end of a day, and return its id."""
        async with database.transaction() as connection:
            issued = await vouchers.issue_voucher(
                connection,
                account,
                money.parse_cents(amount),
                expires_at=self.end_of(expires, account=account),
                now=NOW,
                product_codes=products,
                voucher_id=uuid.UUID(voucher_id) if voucher_id else None,
            )
        return str(issued)

    async def refund(self, order_id: str, *instance_ids: str, now: dt.datetime = NOW) -> None:
        """Refund an order, or only its lines for `instance_ids`."""
        call = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), str(uuid.uuid4()), lambda: now)
        await refunds.refund_order(call, refunds.RefundRequest(order_id, instance_ids or None, "Outage"))

    def end_of(self, day: str, *, account: str = "a") -> dt.datetime:
        """Return the instant of 23:59:59 of a day, in the account's zone."""
        return dates.end_of_day(dt.date.fromisoformat(day), self._zones[account])

    def at(self, moment: str, *, account: str = "a") -> dt.datetime:
        """Return the instant of a local time in the account's zone: `world.at("2027-01-31 00:30")`."""
        return dt.datetime.fromisoformat(moment).replace(tzinfo=self._zones[account]).astimezone(dt.UTC)

    async def balance(self, account: str = "a") -> str:
        """Return the balance as a decimal string."""
        return money.format_cents(
            await self.value("SELECT balance_cents FROM accounts WHERE id = $1", account)
        )

    async def available(self, voucher_id: str) -> str:
        """Return the available amount of a voucher as a decimal string."""
        sql = "SELECT available_cents FROM vouchers WHERE id = $1::uuid"
        return money.format_cents(await self.value(sql, voucher_id))

    async def expiry(self, instance_id: str) -> str | None:
        """Return the last day of an instance in its account's zone, as an ISO date."""
        instance = await self.read(instance_id)
        if instance.expires_at is None:
            return None
        return dates.last_day(instance.expires_at, self._zones[instance.account_id]).isoformat()

    async def read(self, instance_id: str) -> model.Instance:
        """Return an instance as the domain's type, with its stored status."""
        sql = f"SELECT {instances_repository.COLUMNS} FROM instances i WHERE i.id = $1"
        return model.Instance._make(await self.row(sql, instance_id))

    async def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, as tuples."""
        return [tuple(row) for row in await database.fetch(database.pool(), sql, *values)]

    async def row(self, sql: str, *values: object) -> tuple[Any, ...]:
        """Return the single row of a statement."""
        [row] = await self.rows(sql, *values)
        return row

    async def value(self, sql: str, *values: object) -> Any:
        """Return the single value of a statement."""
        [value] = await self.row(sql, *values)
        return value

    async def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(await self.value(f"SELECT count(*) FROM {table}"))

    async def snapshot(self, *, but: Collection[str] = ()) -> dict[str, list[str]]:
        """Return every row of every table except NO_TRACE and the given ones; equal snapshots mean no change."""
        tables = await self.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        )
        return {
            str(table): [str(row) for (row,) in await self.rows(f"SELECT t::text FROM {table} t ORDER BY 1")]
            for (table,) in tables
            if table not in {*NO_TRACE, *but}
        }


def registration(
    instance_id: str,
    *,
    expires: str | None = "2027-01-31",
    anchor: int | None = None,
    mode: str = "MANUAL",
    months: int = 1,
    price: str = "300.00",
    product: str = "eip",
    data_center: str = "bj-6",
    name: str | None = None,
    bundle: str | None = None,
    billing: str | None = None,
    trial: bool = False,
    status: str = "RUNNING",
    configuration: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    created_at: dt.datetime = NOW,
) -> registration_report.ReportedInstance:
    """Build a registration. Without an expiry, the instance is pay-as-you-go unless `billing` is given."""
    return registration_report.ReportedInstance(
        id=instance_id,
        name=name or f"Instance {instance_id}",
        product_code=product,
        data_center_code=data_center,
        monthly_price_cents=money.parse_cents(price),
        created_at=created_at,
        last_day=dt.date.fromisoformat(expires) if expires else None,
        anchor_day=anchor,
        billing_mode=model.BillingMode(billing or ("PREPAID" if expires else "PAY_AS_YOU_GO")),
        is_trial=trial,
        status=model.InstanceStatus(status),
        renewal_mode=model.RenewalMode(mode),
        auto_renew_months=months,
        bundle_id=bundle,
        configuration=configuration or {"带宽": "1Mbps"},
        tags=list((tags or {}).items()),
    )
