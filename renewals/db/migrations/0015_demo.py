"""What the demo account has can be deleted, of no other account: the database itself sees to it."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

IS_DEMO = """
ALTER TABLE accounts
  ALTER COLUMN is_demo SET DEFAULT false,
  ADD CONSTRAINT demo_has_its_id CHECK (NOT is_demo OR id = 'demo');
UPDATE accounts SET is_demo = true WHERE id = 'demo' AND name = '演示账户' AND EXISTS (
  SELECT FROM instances WHERE id = 'b8eac96a-807b-49f2-af7a-a173440b3b56' AND account_id = 'demo');
CREATE FUNCTION refuse_other_demo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.is_demo OR OLD.ledger_number > 0 OR EXISTS (SELECT FROM instances WHERE account_id = OLD.id) THEN
    RAISE EXCEPTION 'an account becomes the demo before it holds anything, and stays it'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER demo_from_the_start BEFORE UPDATE OF is_demo ON accounts
  FOR EACH ROW WHEN (OLD.is_demo <> NEW.is_demo) EXECUTE FUNCTION refuse_other_demo()
"""

# Who deletes must have said so in the same transaction; whose the row is, is looked up for each row.
REFUSE_DELETION = """
CREATE FUNCTION refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner text;
BEGIN
  IF TG_TABLE_NAME = 'order_lines' THEN
    SELECT account_id INTO owner FROM orders WHERE id = OLD.order_id;
  ELSIF TG_TABLE_NAME = 'refund_lines' THEN
    SELECT account_id INTO owner FROM refunds WHERE id = OLD.refund_id;
  ELSE
    owner := OLD.account_id;
  END IF;
  IF NOT EXISTS (SELECT FROM accounts WHERE id = owner AND is_demo) THEN
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$
"""

TABLES = ("ledger_entries", "orders", "order_lines", "refunds", "refund_lines")
TRIGGERS = """
DROP TRIGGER never_changed ON {table};
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON {table}
  FOR EACH STATEMENT WHEN (current_setting('renewals.resets_demo', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted_but_of_the_demo BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION refuse_deletion()
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0014_released")]

    operations = [
        # The rows that are there have it, too. IS_DEMO sets the same default again, which no model knows.
        ops.AddField("Account", "is_demo", fields.BooleanField(default=False, db_default=False)),
        ops.AlterField("Account", "is_demo", fields.BooleanField(default=False)),
        ops.RunSQL(IS_DEMO, ops.RunSQL.noop),
        ops.RunSQL(REFUSE_DELETION, ops.RunSQL.noop),
        *[ops.RunSQL(TRIGGERS.format(table=table), ops.RunSQL.noop) for table in TABLES],
    ]
