-- Two accounts on 10 January 2027: one with a long history, one that is short of money; a run is under way.

INSERT INTO accounts (id, name, currency, time_zone, balance_cents, ledger_number, lead_days, created_at) VALUES
  ('a', '金山', 'CNY', 'Asia/Shanghai', 606258, 18, 2, '2025-12-01 00:00Z'),
  ('b', 'Köln', 'CNY', 'Europe/Berlin', 100, 1, NULL, '2025-12-01 00:00Z');
INSERT INTO api_keys (id, account_id, prefix, secret_hash, created_at) VALUES
  ('00000000-0000-7000-8000-0000000000a1', 'a', '0a0a0a0a', sha256('rk_0a0a0a0a_of-the-first-version'), '2025-12-01 00:00Z');

INSERT INTO products (code, name, name_zh, renewable, unsupported_reason, max_term_months, retention_days) VALUES
  ('kec', 'Elastic Compute', '云服务器', true, NULL, 36, 365),
  ('ebs', 'Elastic Block Storage', '云硬盘', true, NULL, 36, 7),
  ('ddos', 'Anti-DDoS IP', '高防IP', false, 'Not needed. 暂不需要', 36, 7);
INSERT INTO discount_tiers (product_code, months, discount_bps) VALUES ('kec', 12, 1700);
INSERT INTO data_centers (code, name, type) VALUES ('bj-6', '北京6区(VPC)', 'VPC');

INSERT INTO bundles (id, account_id, name) VALUES ('k', 'a', 'Search');
INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode, is_trial,
    status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, bundle_id, created_at)
  SELECT id, account_id, 'Instance ' || id, product_code, 'bj-6', '[{"label": "带宽", "value": "1Mbps"}]', billing_mode,
    is_trial, status, renewal_mode, 1, expires_at, anchor_day, cents, bundle_id, '2025-12-15 04:00Z'
  FROM (VALUES
    ('i-1', 'a', 'kec', 'PREPAID', false, 'RUNNING', 'MANUAL', timestamptz '2027-02-15 15:59:59Z', 15, 30000, NULL),
    ('k-1', 'a', 'kec', 'PREPAID', false, 'RUNNING', 'AUTO', '2027-01-12 15:59:59Z', 12, 40000, 'k'),
    ('k-2', 'a', 'ebs', 'PREPAID', false, 'RUNNING', 'AUTO', '2027-01-12 15:59:59Z', 12, 10000, 'k'),
    ('i-2', 'a', 'kec', 'PREPAID', false, 'EXPIRED', 'NONE', '2027-01-01 15:59:59Z', 1, 30000, NULL),
    ('i-3', 'a', 'ebs', 'PREPAID', false, 'RELEASED', 'MANUAL', '2026-06-30 15:59:59Z', 30, 5000, NULL),
    ('i-4', 'a', 'kec', 'PAY_AS_YOU_GO', false, 'RUNNING', 'MANUAL', NULL, NULL, 30000, NULL),
    ('i-5', 'a', 'ddos', 'ONE_OFF', true, 'RUNNING', 'MANUAL', '2027-06-30 15:59:59Z', 30, 0, NULL),
    ('i-6', 'b', 'kec', 'PREPAID', false, 'RUNNING', 'AUTO', '2027-01-10 22:59:59Z', 10, 30000, NULL)
  ) AS i(id, account_id, product_code, billing_mode, is_trial, status, renewal_mode, expires_at, anchor_day, cents, bundle_id);

INSERT INTO vouchers (id, account_id, face_cents, available_cents, expires_at, product_codes, created_at) VALUES
  ('00000000-0000-7000-8000-0000000000b1', 'a', 15000, 5000, '2027-12-31 15:59:59Z', '{kec,ebs}', '2025-12-01 00:00Z');

-- i-1 from 15 January 2026 on: twelve nights, the first paid in part by the voucher, and once by hand.
CREATE TEMPORARY TABLE months AS
  SELECT n, lpad(n::text, 32, '0')::uuid AS order_id,
    (at + (n - 1) * interval '1 month') AT TIME ZONE 'UTC' AS starts_at,
    (at + n * interval '1 month') AT TIME ZONE 'UTC' AS ends_at
  FROM generate_series(1, 13) AS n, (SELECT timestamp '2026-01-15 15:59:59' AS at) AS first;
INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, refusals, created_at)
  SELECT order_id, 'a', 'AUTO_RENEWAL', 30000, CASE n WHEN 1 THEN 10000 ELSE 0 END, CASE n WHEN 1 THEN 20000 ELSE 30000 END,
    '[]', starts_at - interval '15 hours'
  FROM months WHERE n < 13;
INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, idempotency_key, request_hash, refusals,
    created_at) VALUES
  (lpad('13', 32, '0')::uuid, 'a', 'MANUAL_RENEWAL', 30000, 0, 30000, 'by hand',
    '\x0e6c5d6d5fbb6018c2ba0790709c9078b8fa334c0e0cfdbd7aabff62660dc463', '[]', '2026-12-29 04:00Z'),
  (lpad('14', 32, '0')::uuid, 'a', 'UNIFY_EXPIRY', 17742, 0, 17742, 'together', sha256('a request'),
    '[{"instance_id": "i-3", "code": "RELEASED", "message": "It was released.", "bundle_instance_ids": []}]',
    '2026-12-30 04:00Z');
INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents)
  SELECT order_id, 'i-1', starts_at, ends_at, 1, 0, 30000, 30000 FROM months ORDER BY n;
INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents) VALUES
  (lpad('14', 32, '0')::uuid, 'k-1', '2027-01-01 15:59:59Z', '2027-01-12 15:59:59Z', 0, 11, 14194, 14194),
  (lpad('14', 32, '0')::uuid, 'k-2', '2027-01-01 15:59:59Z', '2027-01-12 15:59:59Z', 0, 11, 3548, 3548);
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, voucher_id, memo, created_at)
  VALUES
  ('a', 1, 'TOP_UP', 1000000, 1000000, NULL, NULL, 'Top-up', '2025-12-01 00:00Z'),
  ('a', 2, 'TOP_UP', 15000, 15000, NULL, '00000000-0000-7000-8000-0000000000b1', 'Voucher issued', '2025-12-01 00:00Z'),
  ('a', 3, 'RENEWAL', -10000, 5000, lpad('1', 32, '0')::uuid, '00000000-0000-7000-8000-0000000000b1', 'i-1',
    '2026-01-15 00:59:59Z'),
  ('a', 17, 'RENEWAL', -17742, 602258, lpad('14', 32, '0')::uuid, NULL, 'Expiries unified: 2', '2026-12-30 04:00Z'),
  ('a', 18, 'TOP_UP', 4000, 606258, NULL, NULL, 'Top-up', '2027-01-06 00:00Z'),
  ('b', 1, 'TOP_UP', 100, 100, NULL, NULL, 'Top-up', '2025-12-01 00:00Z');
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, memo, created_at)
  SELECT 'a', 3 + n, 'RENEWAL', CASE n WHEN 1 THEN -20000 ELSE -30000 END, 1010000 - n * 30000, order_id, 'i-1',
    starts_at - interval '15 hours' FROM months;

-- The twelve nights; an operator's run, in which b had too little; and one of a worker that was killed.
INSERT INTO renewal_runs (trigger, scheduled_at, started_at, ended_at, renewed_count, refused_count, skipped_count, amount_cents)
  SELECT 'SCHEDULED', starts_at - interval '15 hours', starts_at - interval '15 hours', starts_at - interval '14 hours',
    1, 0, 0, 30000 FROM months WHERE n < 13 ORDER BY n;
INSERT INTO renewal_runs (trigger, scheduled_at, clock_at, started_at, ended_at, renewed_count, refused_count, skipped_count,
    amount_cents) VALUES
  ('OPERATOR', '2027-01-10 02:00Z', '2027-01-10 02:00Z', '2027-01-10 02:00Z', '2027-01-10 02:01Z', 0, 1, 1, 0),
  ('SCHEDULED', '2027-01-10 03:30Z', NULL, '2027-01-10 03:30Z', NULL, 0, 0, 0, 0);
INSERT INTO renewal_chunks (run_id, number, account_ids, due_count, done_at, renewed_count, refused_count, skipped_count,
    amount_cents)
  SELECT n, 0, '{a}', 1, starts_at - interval '14 hours', 1, 0, 0, 30000 FROM months WHERE n < 13;
INSERT INTO renewal_chunks (run_id, number, account_ids, due_count, done_at, renewed_count, refused_count, skipped_count,
    amount_cents) VALUES
  (13, 0, '{b}', 2, '2027-01-10 02:01Z', 0, 1, 1, 0),
  (14, 0, '{a,b}', 3, NULL, 0, 0, 0, 0);
INSERT INTO renewal_attempts (run_id, instance_id, due_at, attempted_at, succeeded, order_id)
  SELECT n, 'i-1', starts_at - interval '15 hours', starts_at - interval '15 hours', true, order_id FROM months WHERE n < 13;
INSERT INTO renewal_attempts (run_id, instance_id, due_at, attempted_at, succeeded, code, message) VALUES
  (13, 'i-6', '2027-01-09 23:30Z', '2027-01-10 02:00Z', false, 'INSUFFICIENT_FUNDS',
    '300.00 is required and 1.00 is available; 299.00 is missing.');
DROP TABLE months
