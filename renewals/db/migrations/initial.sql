-- SQL that a Tortoise model cannot express: collations, checks, partial indexes, triggers, tables with composite keys.
-- Constraint names are sentences, because PostgreSQL quotes them in its errors.

-- pg_trgm provides the trigrams of the search; with btree_gin, one index contains account ids and trigrams. Both are
-- trusted extensions of PostgreSQL's contrib: a role with the privilege CREATE on the database may create them.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE EXTENSION IF NOT EXISTS btree_gin;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE insufficient_privilege USING MESSAGE = 'permission denied to create the extensions pg_trgm and btree_gin; create '
    || 'both in this database as a superuser, or let the role create them (GRANT CREATE ON DATABASE)';
END $$;

-- Tables whose primary key has several columns, and a table without one. Events, cursors, deliveries and search texts
-- have no foreign keys: the checks would take 10 % of the time of a renewal, and rows may outlast their instance or
-- endpoint.
CREATE TABLE events (
  account_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL CHECK (sequence > 0),
  type text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  instance_id text COLLATE "C",
  payload json NOT NULL,
  actor_kind text COLLATE "C" NOT NULL
    CONSTRAINT actor_kind_is_known CHECK (actor_kind IN ('CUSTOMER', 'WORKER', 'OPERATOR')),
  actor_name text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, sequence));
-- An instance has few events, so a hash index suffices. It adds 2 microseconds to each event; a B-tree would add 5.
CREATE INDEX events_by_instance ON events USING hash (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE webhook_secrets (
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  secret text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  ends_at timestamptz,
  idempotency_key text COLLATE "C" NOT NULL,
  overlap interval,
  PRIMARY KEY (endpoint_id, number),
  CONSTRAINT webhook_secrets_once_per_key UNIQUE (endpoint_id, idempotency_key));
CREATE UNIQUE INDEX webhook_secrets_one_current ON webhook_secrets (endpoint_id) WHERE ends_at IS NULL;

CREATE TABLE webhook_cursors (
  endpoint_id uuid NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL CHECK (sequence >= 0),
  last_sequence bigint NOT NULL,
  PRIMARY KEY (endpoint_id, account_id),
  CONSTRAINT never_beyond_the_last_event CHECK (sequence <= last_sequence));
CREATE INDEX webhook_cursors_behind ON webhook_cursors (endpoint_id, account_id) WHERE sequence < last_sequence;
CREATE TABLE webhook_deliveries (
  endpoint_id uuid NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  lane text COLLATE "C" NOT NULL,
  attempts integer NOT NULL CHECK (attempts >= 0),
  last_attempted_at timestamptz,
  next_attempt_at timestamptz,
  parked_at timestamptz,
  last_status smallint,
  last_error json,
  last_response text COLLATE "C",
  PRIMARY KEY (endpoint_id, account_id, sequence),
  CONSTRAINT parked_is_not_tried CHECK (parked_at IS NULL OR next_attempt_at IS NULL));
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_lanes ON webhook_deliveries (endpoint_id, account_id, lane, sequence)
  WHERE parked_at IS NULL;
CREATE INDEX webhook_deliveries_parked ON webhook_deliveries (endpoint_id, account_id, sequence)
  WHERE parked_at IS NOT NULL;

CREATE TABLE search_texts (
  account_id text COLLATE "C" NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  text text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, instance_id));

CREATE TABLE refund_lines (
  refund_id uuid NOT NULL REFERENCES refunds (id),
  order_line_id bigint NOT NULL REFERENCES order_lines (id),
  cents bigint NOT NULL CONSTRAINT refunded_is_not_negative CHECK (cents >= 0),
  CONSTRAINT refunded_once UNIQUE (order_line_id));

-- Text is compared by bytes, whatever the locale of the database.
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
END $$;
ALTER TABLE webhook_endpoints ALTER COLUMN event_types TYPE text[] COLLATE "C";

-- json, not jsonb: a refusal quotes an id that the caller sent, and jsonb would reject a NUL in this id.
ALTER TABLE orders ALTER COLUMN refusals TYPE json;
ALTER TABLE renewal_attempts ALTER COLUMN message TYPE json;
ALTER TABLE webhook_endpoints ALTER COLUMN disabled_reason TYPE json;
ALTER TABLE webhook_states ALTER COLUMN last_error TYPE json;
ALTER TABLE audit_log
  ALTER COLUMN request TYPE json, ALTER COLUMN before TYPE json, ALTER COLUMN after TYPE json,
  ALTER COLUMN answer TYPE json;

-- Foreign keys and a unique key of models that do not declare them.
ALTER TABLE account_watches ADD FOREIGN KEY (account_id) REFERENCES accounts (id);
ALTER TABLE event_streams ADD FOREIGN KEY (account_id) REFERENCES accounts (id);
ALTER TABLE reminders ADD FOREIGN KEY (instance_id) REFERENCES instances (id);
ALTER TABLE webhook_endpoints ADD CONSTRAINT webhook_endpoints_once_per_key UNIQUE (account_id, idempotency_key);

-- Defaults for INSERT statements that do not name the column.
ALTER TABLE accounts ALTER COLUMN is_demo SET DEFAULT false;
ALTER TABLE instances ALTER COLUMN refund_count SET DEFAULT 0, ALTER COLUMN tags SET DEFAULT '{}';
ALTER TABLE order_lines ALTER COLUMN refund_count SET DEFAULT 0;
ALTER TABLE webhook_states
  ALTER COLUMN last_account_id SET DEFAULT '', ALTER COLUMN failure_count SET DEFAULT 0,
  ALTER COLUMN pause_count SET DEFAULT 0, ALTER COLUMN delivered_count SET DEFAULT 0,
  ALTER COLUMN is_slow SET DEFAULT false;

-- Checks.
ALTER TABLE accounts
  ADD CONSTRAINT balance_is_never_negative CHECK (balance_cents >= 0),
  ADD CONSTRAINT lead_days_are_0_to_9 CHECK (lead_days BETWEEN 0 AND 9);
ALTER TABLE products
  ADD CONSTRAINT unsupported_says_why CHECK (
    renewable = (unsupported_reason IS NULL AND unsupported_reason_zh IS NULL)),
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
    succeeded = (order_id IS NOT NULL) AND succeeded = (code IS NULL));
ALTER TABLE api_keys
  ADD CONSTRAINT role_is_known CHECK (role IN ('RENEWER', 'VIEWER', 'CALENDAR', 'OPERATOR')),
  ADD CONSTRAINT operators_have_no_account CHECK ((role = 'OPERATOR') = (account_id IS NULL));
ALTER TABLE accounts
  ADD CONSTRAINT price_rise_cap_is_not_negative CHECK (price_rise_cap_bps >= 0),
  ADD CONSTRAINT language_is_known CHECK (language IN ('zh', 'en'));
ALTER TABLE instances
  ADD CONSTRAINT agreed_price_is_another CHECK (
    agreed_price_cents >= 0 AND agreed_price_cents <> monthly_price_cents);
ALTER TABLE instances
  ADD CONSTRAINT refund_count_is_not_negative CHECK (refund_count >= 0),
  ADD CONSTRAINT tags_are_values_by_key CHECK (jsonb_typeof(tags) = 'object');
ALTER TABLE order_lines ADD CONSTRAINT anchor_before_is_a_day CHECK (anchor_day_before BETWEEN 1 AND 31);
ALTER TABLE refunds ADD CONSTRAINT refund_is_given_wholly CHECK (
  total_cents = voucher_cents + balance_cents AND voucher_cents >= 0 AND balance_cents >= 0);
ALTER TABLE audit_log
  ADD CONSTRAINT operator_has_a_key_or_an_issuer CHECK (operator_key_id IS NULL OR operator_issuer IS NULL);
ALTER TABLE ledger_entries
  ADD CONSTRAINT entry_is_of_a_refund FOREIGN KEY (refund_id) REFERENCES refunds (id),
  ADD CONSTRAINT refund_is_named CHECK ((kind = 'REFUND') = (refund_id IS NOT NULL));
ALTER TABLE event_streams ADD CHECK (last_sequence > 0);
ALTER TABLE reminders ADD CHECK (days > 0);
ALTER TABLE account_watches
  ADD CONSTRAINT told_at_a_moment CHECK ((told_sequence IS NULL) = (told_ledger_number IS NULL));
ALTER TABLE test_clock_moves
  ADD CONSTRAINT a_clock_moves_forward CHECK (to_at > from_at AND reached_at BETWEEN from_at AND to_at),
  ADD CONSTRAINT a_finished_move_has_its_events CHECK ((ended_at IS NULL) = (last_sequence IS NULL));
ALTER TABLE accounts ADD CONSTRAINT demo_has_its_id CHECK (NOT is_demo OR id = 'demo');

-- Indexes. The lists of an account leave out released instances, which have an index of their own.
CREATE UNIQUE INDEX api_keys_secret_hash ON api_keys (secret_hash);
CREATE UNIQUE INDEX discount_tiers_once_per_months ON discount_tiers (product_code, months);
CREATE INDEX instances_by_clock ON instances (expires_at) WHERE status <> 'RELEASED';
CREATE INDEX instances_by_bundle ON instances (bundle_id) WHERE bundle_id IS NOT NULL;
CREATE INDEX bundles_by_account ON bundles (account_id);
CREATE INDEX vouchers_by_account ON vouchers (account_id, expires_at);
CREATE UNIQUE INDEX orders_once_per_key ON orders (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX orders_by_time ON orders (account_id, created_at, id);
CREATE INDEX orders_by_hand ON orders (account_id, created_at, id) WHERE kind <> 'AUTO_RENEWAL';
CREATE INDEX order_lines_by_order ON order_lines (order_id);
CREATE INDEX ledger_entries_by_order ON ledger_entries (order_id);
CREATE UNIQUE INDEX renewal_runs_once_per_tick ON renewal_runs (scheduled_at) WHERE trigger = 'SCHEDULED';
CREATE INDEX renewal_runs_unended ON renewal_runs (id) WHERE ended_at IS NULL;
CREATE INDEX renewal_attempts_by_instance ON renewal_attempts (instance_id, id);
-- The included columns are those of the conditions and the facets, so that counts need not read the table itself.
CREATE INDEX instances_by_expiry ON instances (account_id, (coalesce(expires_at, 'infinity')), id)
  INCLUDE (expires_at, product_code, data_center_code, billing_mode, is_trial, status, renewal_mode, bundle_id)
  WHERE status <> 'RELEASED';
CREATE INDEX instances_by_mode ON instances (account_id, renewal_mode, (coalesce(expires_at, 'infinity')), id)
  INCLUDE (expires_at, product_code, billing_mode, is_trial, bundle_id) WHERE status <> 'RELEASED';
CREATE INDEX instances_released ON instances (account_id, (coalesce(expires_at, 'infinity')), id)
  WHERE status = 'RELEASED';
CREATE UNIQUE INDEX test_clock_moves_once_per_key ON test_clock_moves (account_id, idempotency_key);
CREATE UNIQUE INDEX test_clock_moves_one_at_a_time ON test_clock_moves (account_id) WHERE ended_at IS NULL;
CREATE INDEX accounts_with_test_clock ON accounts (id) WHERE test_clock IS NOT NULL;
CREATE INDEX api_keys_by_account ON api_keys (account_id, created_at);
CREATE UNIQUE INDEX api_keys_one_calendar ON api_keys (account_id) WHERE role = 'CALENDAR' AND revoked_at IS NULL;
CREATE INDEX api_keys_by_prefix ON api_keys (prefix);
CREATE UNIQUE INDEX audit_log_once_per_key ON audit_log (idempotency_key);
CREATE INDEX audit_log_by_account ON audit_log USING gin (account_ids);
CREATE UNIQUE INDEX webhook_endpoints_once_per_key_of_the_provider ON webhook_endpoints (idempotency_key)
  WHERE account_id IS NULL;
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refund_lines_by_refund ON refund_lines (refund_id);
CREATE INDEX ledger_entries_by_refund ON ledger_entries (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX ledger_entries_without_renewals ON ledger_entries (account_id, number) WHERE kind <> 'RENEWAL';
CREATE INDEX renewal_runs_in_real_time ON renewal_runs (id) WHERE trigger <> 'TEST_CLOCK';
CREATE INDEX search_texts_trigrams ON search_texts USING gin (account_id, text gin_trgm_ops);
CREATE INDEX ledger_entries_of_balance ON ledger_entries (account_id, number) WHERE voucher_id IS NULL;

-- The end of an instance's retention, in the account's time zone. The retention is that of the instance's product, or
-- the longest in its bundle. COST is 1, because few rows of a list need a call. A subselect would dominate the
-- estimated cost of the list, so the plan of the other parts would be arbitrary. A function in LANGUAGE sql took
-- six times as long (38 microseconds instead of 6.5), because PostgreSQL starts its statement again for each row.
CREATE FUNCTION releases_at(account_id text, product_code text, bundle_id text, expires_at timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 AS $$
DECLARE
  days integer;
  zone text := (SELECT a.time_zone FROM accounts a WHERE a.id = releases_at.account_id);
BEGIN
  IF releases_at.bundle_id IS NULL THEN
    days := (SELECT p.retention_days FROM products p WHERE p.code = releases_at.product_code);
  ELSE
    days := (SELECT max(p.retention_days) FROM instances i JOIN products p ON p.code = i.product_code
      WHERE i.bundle_id = releases_at.bundle_id);
  END IF;
  RETURN (releases_at.expires_at AT TIME ZONE zone + make_interval(days => days)) AT TIME ZONE zone;
END $$;

-- Rows that are never changed or deleted. A reset of the demo account deletes that account's payments.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_other_demo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.is_demo OR OLD.ledger_number > 0 OR EXISTS (SELECT FROM instances WHERE account_id = OLD.id) THEN
    RAISE EXCEPTION 'only an empty account can become the demo account, and then it stays the demo account'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER demo_from_the_start BEFORE UPDATE OF is_demo ON accounts
  FOR EACH ROW WHEN (OLD.is_demo <> NEW.is_demo) EXECUTE FUNCTION refuse_other_demo();

-- Only the reset of the demo account sets a test clock back; it also deletes the payments and instances of the account.
CREATE FUNCTION refuse_other_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.test_clock IS NULL OR NEW.test_clock IS NULL THEN
    RAISE EXCEPTION 'an account gets its test clock when it is created, or never' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.test_clock < OLD.test_clock
      AND NOT (OLD.is_demo AND current_setting('renewals.resets_demo', true) IS NOT DISTINCT FROM 'on') THEN
    RAISE EXCEPTION 'a test clock moves forward only' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER test_clock_moves_forward BEFORE UPDATE OF test_clock ON accounts
  FOR EACH ROW WHEN (OLD.test_clock IS DISTINCT FROM NEW.test_clock) EXECUTE FUNCTION refuse_other_clock();

-- A reset deletes payments in a transaction that sets `renewals.resets_demo`. The trigger checks the owner of each row.
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
END $$;

CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON ledger_entries
  FOR EACH STATEMENT WHEN (current_setting('renewals.resets_demo', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted_but_of_the_demo BEFORE DELETE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_deletion();
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON orders
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON orders
  FOR EACH STATEMENT WHEN (current_setting('renewals.resets_demo', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted_but_of_the_demo BEFORE DELETE ON orders
  FOR EACH ROW EXECUTE FUNCTION refuse_deletion();
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON order_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON order_lines
  FOR EACH STATEMENT WHEN (current_setting('renewals.resets_demo', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted_but_of_the_demo BEFORE DELETE ON order_lines
  FOR EACH ROW EXECUTE FUNCTION refuse_deletion();
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON refunds
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON refunds
  FOR EACH STATEMENT WHEN (current_setting('renewals.resets_demo', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted_but_of_the_demo BEFORE DELETE ON refunds
  FOR EACH ROW EXECUTE FUNCTION refuse_deletion();
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON refund_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON refund_lines
  FOR EACH STATEMENT WHEN (current_setting('renewals.resets_demo', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted_but_of_the_demo BEFORE DELETE ON refund_lines
  FOR EACH ROW EXECUTE FUNCTION refuse_deletion();
