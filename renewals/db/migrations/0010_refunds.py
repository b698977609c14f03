"""What was given back of an order, never changed; and a period that was refunded may be bought again."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

REFUNDS = """
ALTER TABLE instances
  ALTER COLUMN refund_count SET DEFAULT 0,
  ADD CONSTRAINT refund_count_is_not_negative CHECK (refund_count >= 0);
ALTER TABLE order_lines
  ALTER COLUMN refund_count SET DEFAULT 0,
  ADD CONSTRAINT anchor_before_is_a_day CHECK (anchor_day_before BETWEEN 1 AND 31);
CREATE TABLE refunds (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id),
  total_cents bigint NOT NULL,
  voucher_cents bigint NOT NULL,
  balance_cents bigint NOT NULL,
  reason text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT refund_is_given_wholly CHECK (
    total_cents = voucher_cents + balance_cents AND voucher_cents >= 0 AND balance_cents >= 0));
CREATE TABLE refund_lines (
  refund_id uuid NOT NULL REFERENCES refunds (id),
  order_line_id bigint NOT NULL REFERENCES order_lines (id),
  cents bigint NOT NULL CONSTRAINT refunded_is_not_negative CHECK (cents >= 0),
  CONSTRAINT refunded_once UNIQUE (order_line_id));
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refund_lines_by_refund ON refund_lines (refund_id);
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON refunds
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

LINE = {
    "pk_attr": "id",
    "table_description": (
        "Written by `orders`. One paid period of one instance; a second of the same start needs a refund between."
    ),
}


class Migration(migrations.Migration):
    dependencies = [("renewals", "0009_webhooks")]

    operations = [
        # The rows that are there have it, too. REFUNDS sets the same default again, which no model knows.
        ops.AddField("Instance", "refund_count", fields.IntField(default=0, db_default=0)),
        ops.AddField("OrderLine", "refund_count", fields.IntField(default=0, db_default=0)),
        ops.AlterField("Instance", "refund_count", fields.IntField(default=0)),
        ops.AlterField("OrderLine", "refund_count", fields.IntField(default=0)),
        ops.AddField("OrderLine", "anchor_day_before", fields.SmallIntField(null=True)),
        ops.AlterModelOptions("OrderLine", LINE),
        ops.AddConstraint("OrderLine", UniqueConstraint(("instance", "starts_at", "refund_count"))),
        ops.RemoveConstraint("OrderLine", fields=["instance", "starts_at"]),
        ops.RunSQL(REFUNDS, ops.RunSQL.noop),
    ]
