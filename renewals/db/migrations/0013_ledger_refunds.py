"""A ledger entry names its refund, so that a refund can say which voucher got what back."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

NAME_REFUNDS = """
ALTER TABLE ledger_entries DISABLE TRIGGER never_changed;
UPDATE ledger_entries e SET refund_id = r.id
FROM (SELECT id, order_id, sum(total_cents) OVER (PARTITION BY order_id ORDER BY created_at, id) AS until_cents,
        total_cents FROM refunds) AS r,
     (SELECT id, order_id, sum(amount_cents) OVER (PARTITION BY order_id ORDER BY number) AS until_cents
      FROM ledger_entries WHERE kind = 'REFUND') AS sums
WHERE sums.id = e.id AND r.order_id = sums.order_id
  AND sums.until_cents > r.until_cents - r.total_cents AND sums.until_cents <= r.until_cents;
ALTER TABLE ledger_entries ENABLE TRIGGER never_changed
"""
"""The entries of an order's refunds add up to them in their order, so their sums say which entry is of which refund."""

CHECKED = """
ALTER TABLE ledger_entries
  ADD CONSTRAINT entry_is_of_a_refund FOREIGN KEY (refund_id) REFERENCES refunds (id),
  ADD CONSTRAINT refund_is_named CHECK ((kind = 'REFUND') = (refund_id IS NOT NULL));
CREATE INDEX ledger_entries_by_refund ON ledger_entries (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX ledger_entries_of_balance ON ledger_entries (account_id, number) WHERE voucher_id IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0012_identity")]

    operations = [
        ops.AddField("LedgerEntry", "refund_id", fields.UUIDField(null=True)),
        ops.RunSQL(NAME_REFUNDS, ops.RunSQL.noop),
        ops.RunSQL(CHECKED, ops.RunSQL.noop),
    ]
