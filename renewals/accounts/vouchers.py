"""Vouchers in the database; each change has a ledger entry (rule 16).

Besides this module, only the reset of the demo account writes `vouchers`.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from renewals.accounts import ledger, repository
from renewals.db import connection as database
from renewals.db import statements
from renewals.domain import model, payment
from renewals.domain.messages import Message
from renewals.i18n import catalogs


class NewVoucher(NamedTuple):
    """A voucher to issue, with its face value in cents; without product codes, it pays for every product."""

    face_cents: int
    expires_at: dt.datetime
    product_codes: Sequence[str] = ()
    voucher_id: uuid.UUID | None = None


async def issue_voucher(
    connection: database.Connection,
    account_id: str,
    face_cents: int,
    *,
    expires_at: dt.datetime,
    now: dt.datetime,
    product_codes: Sequence[str] = (),
    voucher_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Issue a voucher to an account and return the voucher's id."""
    voucher = NewVoucher(face_cents, expires_at, product_codes, voucher_id)
    [voucher_id] = await issue_vouchers(connection, account_id, [voucher], now)
    return voucher_id


async def issue_vouchers(
    connection: database.Connection, account_id: str, vouchers: Sequence[NewVoucher], now: dt.datetime
) -> list[uuid.UUID]:
    """Issue several vouchers to an account and return their ids in the same order."""
    accounts = await repository.lock_accounts(connection, [account_id])
    return await issue_to_accounts(connection, accounts, [(account_id, voucher) for voucher in vouchers], now)


async def issue_to_accounts(
    connection: database.Connection,
    accounts: Mapping[str, model.Account],
    grants: Sequence[tuple[str, NewVoucher]],
    now: dt.datetime,
) -> list[uuid.UUID]:
    """Issue vouchers to several accounts and return the ids of the vouchers in the same order.

    The accounts must come from `repository.lock_accounts` in the same transaction.
    """
    vouchers = [voucher for _, voucher in grants]
    ids = [voucher.voucher_id or uuid.uuid4() for voucher in vouchers]
    await database.execute(
        connection,
        # Product codes are passed as JSON, because unnest() flattens nested arrays.
        """INSERT INTO vouchers
             (id, account_id, face_cents, available_cents, expires_at, product_codes, created_at)
           SELECT u.id, u.account_id, u.face_cents, u.face_cents, u.expires_at,
             array(SELECT json_array_elements_text(u.product_codes)), u.created_at
           FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::json[], $6::timestamptz[])
             AS u(id, account_id, face_cents, expires_at, product_codes, created_at)""",
        ids,
        [account_id for account_id, _ in grants],
        [voucher.face_cents for voucher in vouchers],
        [voucher.expires_at for voucher in vouchers],
        [orjson.dumps(list(voucher.product_codes)).decode() for voucher in vouchers],
        [accounts[account_id].instant(now) for account_id, _ in grants],
    )
    memo = Message("Voucher issued")
    memos = {account.id: catalogs.translate(memo, account.language) for account in accounts.values()}
    entries = [
        ledger.NewLedgerEntry(
            account_id, voucher.face_cents, voucher.face_cents, str(voucher_id), memos[account_id]
        )
        for voucher_id, (account_id, voucher) in zip(ids, grants, strict=True)
    ]
    await ledger.post_top_ups(connection, accounts, entries, now)
    return ids


async def read_usable(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> dict[str, list[model.Voucher]]:
    """Return the vouchers that are usable at `now`, by account id (rule 15)."""
    return await select_usable(account_ids, now).fetch(connection)


def select_usable(
    account_ids: Sequence[str], now: dt.datetime
) -> statements.Query[dict[str, list[model.Voucher]]]:
    """Return the query of `read_usable`."""

    def build(rows: statements.Rows) -> dict[str, list[model.Voucher]]:
        usable: dict[str, list[model.Voucher]] = {account_id: [] for account_id in account_ids}
        for account_id, voucher_id, available_cents, expires_at, codes in rows:
            voucher = model.Voucher(voucher_id, available_cents, expires_at, frozenset(codes))
            usable[account_id].append(voucher)
        return usable

    return statements.Query(
        """SELECT account_id, id::text, available_cents, expires_at, product_codes FROM vouchers
           WHERE account_id = ANY($1) AND available_cents > 0 AND expires_at >= $2""",
        [account_ids, now],
        build,
    )


def build_remaining(redemptions: Iterable[payment.VoucherRedemption]) -> statements.Change:
    """Return the change that stores the amounts left on vouchers after redemptions or refunds.

    If a voucher occurs several times, its last amount is stored.
    """
    available = {redemption.voucher_id: redemption.available_after_cents for redemption in redemptions}
    return statements.Change(
        {
            "vouchers_left": """UPDATE vouchers v SET available_cents = u.available_cents
              FROM unnest($1::uuid[], $2::bigint[]) AS u(id, available_cents) WHERE v.id = u.id"""
        },
        [list(available), list(available.values())],
    )
