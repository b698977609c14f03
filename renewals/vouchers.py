"""This module alone writes `vouchers`; each change is a ledger entry as well (rule 16)."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from renewals import allocation, database, ledger, terms


async def issue(
    connection: database.Connection,
    account_id: str,
    face_cents: int,
    *,
    expires_at: dt.datetime,
    now: dt.datetime,
    product_codes: Sequence[str] = (),
    voucher_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Gives an account a voucher, for some products or, without codes, for all."""
    voucher_id = voucher_id or uuid.uuid4()
    accounts = await ledger.lock(connection, [account_id])
    await database.execute(
        connection,
        """INSERT INTO vouchers
             (id, account_id, face_cents, available_cents, expires_at, product_codes, created_at)
           VALUES ($1, $2, $3, $3, $4, $5, $6)""",
        voucher_id,
        account_id,
        face_cents,
        expires_at,
        list(product_codes),
        now,
    )
    kind = terms.LedgerEntryKind.TOP_UP
    entry = ledger.Entry(account_id, kind, face_cents, face_cents, None, str(voucher_id), "Voucher issued")
    await ledger.post(connection, accounts, [entry], now)
    return voucher_id


async def read_usable(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> dict[str, list[terms.Voucher]]:
    """The vouchers that count at `now`, by account (rule 15)."""
    rows = await database.fetch(
        connection,
        """SELECT account_id, id::text, available_cents, expires_at, product_codes FROM vouchers
           WHERE account_id = ANY($1) AND available_cents > 0 AND expires_at >= $2""",
        account_ids,
        now,
    )
    usable: dict[str, list[terms.Voucher]] = {account_id: [] for account_id in account_ids}
    for account_id, voucher_id, available_cents, expires_at, codes in map(tuple, rows):
        usable[account_id].append(terms.Voucher(voucher_id, available_cents, expires_at, frozenset(codes)))
    return usable


async def take(connection: database.Connection, uses: Iterable[allocation.VoucherUse]) -> None:
    """Sets what the uses leave available; of several uses of one voucher the last holds."""
    available = {use.voucher_id: use.available_after_cents for use in uses}
    if available:
        await database.execute(
            connection,
            """UPDATE vouchers v SET available_cents = u.available_cents
               FROM unnest($1::uuid[], $2::bigint[]) AS u(id, available_cents) WHERE v.id = u.id""",
            list(available),
            list(available.values()),
        )
