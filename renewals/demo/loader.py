"""The loader of the demo account. Dates are relative to a given day; everything else is fixed.

The account is a test account (rule 37), so that its state does not depend on the date on which it is read.
"""

import datetime as dt
import uuid

from renewals import catalog
from renewals.accounts import ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db.advisory_locks import AdvisoryLock, lock_in
from renewals.demo import data, instances
from renewals.domain import dates, errors, model, registration
from renewals.domain.messages import Message
from renewals.instances import repository as instances_repository

ACCOUNT_ID = "demo"
ACCOUNT_NAME = "演示账户"
ZONE = data.ZONE
DAY = dt.date(2027, 1, 15)
"""The default date of the account's test clock."""
TIME = dt.time(10)
"""The time of day of the account's test clock, in the account's zone."""
LEAD_DAYS = 0
"""The account's lead days, independent of the setting, so that nothing is due when the account is loaded."""
LANGUAGE = model.Language.ZH


def opened_at(day: dt.date) -> dt.datetime:
    """Return the time of creation of a demo account that is loaded as of a day."""
    return _ago(day, days=800)


def stands_at(day: dt.date) -> dt.datetime:
    """Return the instant of the test clock of a demo account that was just loaded as of a day."""
    return dt.datetime.combine(day, TIME, ZONE).astimezone(dt.UTC)


async def load(day: dt.date = DAY) -> bool:
    """Load the demo account as of a day in its time zone and return True; return False if it already exists.

    Raises InvalidInputError if an account that is not the demo account has its id, or if another account has an
    instance or a bundle with an id that the demo uses.
    """
    async with database.transaction() as connection:
        if await lock(connection):
            return False
        await accounts_repository.open_account(
            connection,
            account_id=ACCOUNT_ID,
            name=ACCOUNT_NAME,
            zone=ZONE,
            now=opened_at(day),
            lead_days=LEAD_DAYS,
            test_clock=opened_at(day),
            language=LANGUAGE,
        )
        await accounts_repository.mark_demo(connection, ACCOUNT_ID)
        await fill(connection, day)
    return True


async def load_into_empty(day: dt.date = DAY) -> bool:
    """Load the demo account as of a day if there are no accounts; return whether the demo account exists now."""
    if await accounts_repository.is_demo(database.pool(), ACCOUNT_ID):
        return True
    if await accounts_repository.has_accounts(database.pool()):
        return False
    await load(day)
    return True


async def lock(connection: database.Connection) -> bool:
    """Lock the demo account against changes and concurrent loads; return whether the account exists.

    Raises InvalidInputError if the account with the id ACCOUNT_ID is not the demo account.
    """
    await lock_in(connection, AdvisoryLock.DEMO_ACCOUNT)
    if not await accounts_repository.lock_accounts(connection, [ACCOUNT_ID]):
        return False
    if not await accounts_repository.is_demo(connection, ACCOUNT_ID):
        raise errors.InvalidInputError(
            "account",
            Message("{id!r} was not created by `renewals demo`, so nothing was changed", id=ACCOUNT_ID),
        )
    return True


async def fill(connection: database.Connection, day: dt.date) -> None:
    """Add money and instances to the locked, empty demo account, and move its test clock forward to TIME on `day`."""
    await _extend_catalog(connection)
    await _add_money(connection, day)
    await accounts_repository.move_test_clock(connection, ACCOUNT_ID, _ago(day, days=0))
    account = (await accounts_repository.lock_accounts(connection, [ACCOUNT_ID]))[ACCOUNT_ID]
    bundles = {instances.BUNDLE_ID: "日志检索 KES"}
    registration.raise_if_refused(
        await instances_repository.register(
            connection, account, instances.build_instances(day), bundles, _ago(day, days=0)
        )
    )
    await accounts_repository.move_test_clock(connection, ACCOUNT_ID, stands_at(day))


async def _extend_catalog(connection: database.Connection) -> None:
    """Add the demo's products, data centers and data center types, except those whose codes already exist."""
    await catalog.lock_catalog(connection)
    codes = {product.code for product in await catalog.list_products(connection)}
    products = [offer.product for offer in data.OFFERS]
    await catalog.upsert_products(connection, [product for product in products if product.code not in codes])
    codes = {center_type.code for center_type in await catalog.list_data_center_types(connection)}
    await catalog.upsert_data_center_types(
        connection, [center_type for center_type in data.DATA_CENTER_TYPES if center_type.code not in codes]
    )
    codes = {center.code for center in await catalog.list_data_centers(connection)}
    await catalog.upsert_data_centers(
        connection, [center for center in data.DATA_CENTERS if center.code not in codes]
    )


async def _add_money(connection: database.Connection, day: dt.date) -> None:
    for number, income in enumerate(data.INCOME):
        now = _ago(day, days=income.days_ago)
        await accounts_repository.move_test_clock(connection, ACCOUNT_ID, now)
        match income:
            case data.DemoTopUp(_, cents, memo):
                await ledger.top_up(connection, ACCOUNT_ID, cents, memo=memo, now=now)
            case data.DemoVoucher(_, cents, days_left, product_codes):
                await vouchers.issue_voucher(
                    connection,
                    ACCOUNT_ID,
                    cents,
                    expires_at=dates.end_of_day(day + dt.timedelta(days=days_left), ZONE),
                    now=now,
                    product_codes=product_codes,
                    voucher_id=uuid.uuid5(data.ID_NAMESPACE, f"voucher {number}"),
                )


def _ago(day: dt.date, *, days: int) -> dt.datetime:
    """Return the start, in the account's time zone, of the date that is `days` days before `day`."""
    return dt.datetime.combine(day - dt.timedelta(days=days), dt.time(), ZONE).astimezone(dt.UTC)
