"""This module alone writes `vouchers`; each change is a ledger entry as well (rule 16)."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from renewals.accounts import ledger, repository
from renewals.db import connection as database
from renewals.domain import model, payment


class NewVoucher(NamedTuple):
    """A voucher to be issued: its face in cents; without codes it pays for every product."""

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
    """Gives an account a voucher, for some products or, without codes, for all."""
    given = NewVoucher(face_cents, expires_at, product_codes, voucher_id)
    [voucher_id] = await issue_vouchers(connection, account_id, [given], now)
    return voucher_id


async def issue_vouchers(
    connection: database.Connection, account_id: str, given: Sequence[NewVoucher], now: dt.datetime
) -> list[uuid.UUID]:
    """Gives an account several vouchers, and answers their ids in their order."""
    accounts = await repository.lock_accounts(connection, [account_id])
    return await issue_to_accounts(connection, accounts, [(account_id, each) for each in given], now)


async def issue_to_accounts(
    connection: database.Connection,
    accounts: Mapping[str, model.Account],
    grants: Sequence[tuple[str, NewVoucher]],
    now: dt.datetime,
) -> list[uuid.UUID]:
    """The same of several accounts, which must be as `repository.lock_accounts` read them in this transaction."""
    given = [each for _, each in grants]
    ids = [each.voucher_id or uuid.uuid4() for each in given]
    await database.execute(
        connection,
        # Their codes are of different numbers, so they travel as JSON: unnest() would flatten lists of lists.
        """INSERT INTO vouchers
             (id, account_id, face_cents, available_cents, expires_at, product_codes, created_at)
           SELECT u.id, u.account_id, u.face_cents, u.face_cents, u.expires_at,
             array(SELECT json_array_elements_text(u.product_codes)), $1
           FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::json[])
             AS u(id, account_id, face_cents, expires_at, product_codes)""",
        now,
        ids,
        [account_id for account_id, _ in grants],
        [each.face_cents for each in given],
        [each.expires_at for each in given],
        [orjson.dumps(list(each.product_codes)).decode() for each in given],
    )
    kind = model.LedgerEntryKind.TOP_UP
    entries = [
        ledger.NewLedgerEntry(
            account_id, kind, each.face_cents, each.face_cents, None, str(voucher_id), "Voucher issued"
        )
        for voucher_id, (account_id, each) in zip(ids, grants, strict=True)
    ]
    await ledger.post_entries(connection, accounts, entries, now)
    return ids


async def read_usable(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> dict[str, list[model.Voucher]]:
    """The vouchers that count at `now`, by account (rule 15)."""
    rows = await database.fetch(
        connection,
        """SELECT account_id, id::text, available_cents, expires_at, product_codes FROM vouchers
           WHERE account_id = ANY($1) AND available_cents > 0 AND expires_at >= $2""",
        account_ids,
        now,
    )
    usable: dict[str, list[model.Voucher]] = {account_id: [] for account_id in account_ids}
    for account_id, voucher_id, available_cents, expires_at, codes in map(tuple, rows):
        usable[account_id].append(model.Voucher(voucher_id, available_cents, expires_at, frozenset(codes)))
    return usable


async def update_remaining(
    connection: database.Connection, uses: Iterable[payment.VoucherRedemption]
) -> None:
    """Sets what the uses, or their refunds, leave available; of several of one voucher the last holds."""
    available = {use.voucher_id: use.available_after_cents for use in uses}
    if available:
        await database.execute(
            connection,
            """UPDATE vouchers v SET available_cents = u.available_cents
               FROM unnest($1::uuid[], $2::bigint[]) AS u(id, available_cents) WHERE v.id = u.id""",
            list(available),
            list(available.values()),
        )
