"""What a model cannot say: byte order of text, checks, partial indexes, and rows that are never changed."""

from tortoise import migrations
from tortoise.migrations import operations as ops

BYTE_ORDER = """
DO $$
DECLARE target record;
BEGIN
  FOR target IN
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type IN ('character varying', 'text')
      AND table_name <> 'tortoise_migrations'
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE text COLLATE "C"', target.table_name, target.column_name);
  END LOOP;
END $$
"""

ANY_TEXT = "ALTER TABLE orders ALTER COLUMN refusals TYPE json"
"""A refusal names the id that a client sent, which may hold a NUL: json keeps what jsonb refuses."""

CHECKS = """
ALTER TABLE accounts
  ADD CONSTRAINT balance_is_never_negative CHECK (balance_cents >= 0),
  ADD CONSTRAINT lead_days_are_0_to_9 CHECK (lead_days BETWEEN 0 AND 9);
ALTER TABLE products
  ADD CONSTRAINT unsupported_says_why CHECK (renewable OR unsupported_reason IS NOT NULL),
  ADD CONSTRAINT terms_are_positive CHECK (max_term_months > 0 AND retention_days >= 0);
ALTER TABLE discount_tiers
  ADD CONSTRAINT tier_is_sensible CHECK (months > 0 AND discount_bps BETWEEN 0 AND 10000);
ALTER TABLE instances
  ADD CONSTRAINT expiry_has_an_anchor CHECK ((expires_at IS NULL) = (anchor_day IS NULL)),
  ADD CONSTRAINT anchor_is_a_day CHECK (anchor_day BETWEEN 1 AND 31),
  ADD CONSTRAINT prepaid_expires CHECK (billing_mode <> 'PREPAID' OR expires_at IS NOT NULL),
  ADD CONSTRAINT pay_as_you_go_does_not CHECK (billing_mode <> 'PAY_AS_YOU_GO' OR expires_at IS NULL),
  ADD CONSTRAINT price_is_not_negative CHECK (monthly_price_cents >= 0),
  ADD CONSTRAINT auto_renew_months_are_positive CHECK (auto_renew_months > 0),
  ADD CONSTRAINT words_are_known CHECK (
    billing_mode IN ('PREPAID', 'ONE_OFF', 'PAY_AS_YOU_GO')
    AND status IN ('RUNNING', 'EXPIRED', 'RELEASED')
    AND renewal_mode IN ('MANUAL', 'AUTO', 'NONE'));
ALTER TABLE bundles
  ADD CONSTRAINT bundle_and_account UNIQUE (id, account_id);
ALTER TABLE instances
  ADD CONSTRAINT bundle_is_of_the_account
    FOREIGN KEY (bundle_id, account_id) REFERENCES bundles (id, account_id);
ALTER TABLE vouchers
  ADD CONSTRAINT available_is_within_face CHECK (available_cents BETWEEN 0 AND face_cents AND face_cents > 0);
ALTER TABLE orders
  ADD CONSTRAINT order_is_paid_wholly CHECK (
    total_cents = voucher_cents + balance_cents AND voucher_cents >= 0 AND balance_cents >= 0),
  ADD CONSTRAINT key_has_its_request CHECK ((idempotency_key IS NULL) = (request_hash IS NULL));
ALTER TABLE order_lines
  ADD CONSTRAINT line_extends CHECK (expires_at > starts_at AND months >= 0 AND days >= 0),
  ADD CONSTRAINT line_price_is_sensible CHECK (price_cents >= 0 AND list_cents >= price_cents);
ALTER TABLE ledger_entries
  ADD CONSTRAINT entry_changes_something CHECK (amount_cents <> 0),
  ADD CONSTRAINT balance_after_is_never_negative CHECK (balance_after_cents >= 0),
  ADD CONSTRAINT sign_fits_kind CHECK (
    (kind = 'RENEWAL' AND amount_cents < 0) OR (kind IN ('TOP_UP', 'REFUND') AND amount_cents > 0));
ALTER TABLE renewal_attempts
  ADD CONSTRAINT attempt_says_how_it_went CHECK (
    succeeded = (order_id IS NOT NULL) AND succeeded = (code IS NULL))
"""

INDEXES = """
CREATE UNIQUE INDEX api_keys_secret_hash ON api_keys (secret_hash);
CREATE UNIQUE INDEX discount_tiers_once_per_months ON discount_tiers (product_code, months);
CREATE INDEX instances_by_expiry ON instances (account_id, (coalesce(expires_at, 'infinity')), id);
CREATE INDEX instances_by_clock ON instances (expires_at) WHERE status <> 'RELEASED';
CREATE INDEX instances_by_bundle ON instances (bundle_id) WHERE bundle_id IS NOT NULL;
CREATE INDEX bundles_by_account ON bundles (account_id);
CREATE INDEX vouchers_by_account ON vouchers (account_id, expires_at);
CREATE UNIQUE INDEX orders_once_per_key ON orders (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX orders_by_time ON orders (account_id, created_at, id);
CREATE INDEX order_lines_by_order ON order_lines (order_id);
CREATE INDEX ledger_entries_by_order ON ledger_entries (order_id);
CREATE UNIQUE INDEX renewal_runs_once_per_tick ON renewal_runs (scheduled_at) WHERE trigger = 'SCHEDULED';
CREATE INDEX renewal_runs_unended ON renewal_runs (id) WHERE ended_at IS NULL;
CREATE INDEX renewal_attempts_by_instance ON renewal_attempts (instance_id, id)
"""

NEVER_CHANGED = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON orders
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON order_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0001_tables")]

    operations = [
        ops.RunSQL(BYTE_ORDER, ops.RunSQL.noop),
        ops.RunSQL(ANY_TEXT, ops.RunSQL.noop),
        ops.RunSQL(CHECKS, ops.RunSQL.noop),
        ops.RunSQL(INDEXES, ops.RunSQL.noop),
        ops.RunSQL(NEVER_CHANGED, ops.RunSQL.noop),
    ]
