-- What i-1 was renewed for by hand was refunded, and bought again.

INSERT INTO refunds (id, order_id, account_id, total_cents, voucher_cents, balance_cents, reason, created_at) VALUES
  ('00000000-0000-7000-8000-0000000000f1', lpad('13', 32, '0')::uuid, 'a', 30000, 0, 30000, '误操作', '2027-01-10 02:10Z');
INSERT INTO refund_lines (refund_id, order_line_id, cents)
  SELECT '00000000-0000-7000-8000-0000000000f1', id, price_cents FROM order_lines WHERE order_id = lpad('13', 32, '0')::uuid;
INSERT INTO orders (id, account_id, kind, total_cents, voucher_cents, balance_cents, idempotency_key, request_hash, refusals,
    created_at) VALUES
  (lpad('15', 32, '0')::uuid, 'a', 'MANUAL_RENEWAL', 30000, 0, 30000, 'again', sha256('a request'), '[]', '2027-01-10 02:15Z');
INSERT INTO order_lines (order_id, instance_id, starts_at, expires_at, months, days, list_cents, price_cents, anchor_day_before,
    refund_count) VALUES
  (lpad('15', 32, '0')::uuid, 'i-1', '2027-01-15 15:59:59Z', '2027-02-15 15:59:59Z', 1, 0, 30000, 30000, 15, 1);
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, order_id, memo, created_at) VALUES
  ('a', 19, 'REFUND', 30000, 636258, lpad('13', 32, '0')::uuid, 'Instances refunded: 1', '2027-01-10 02:10Z'),
  ('a', 20, 'RENEWAL', -30000, 606258, lpad('15', 32, '0')::uuid, 'Instances renewed: 1', '2027-01-10 02:15Z');
UPDATE accounts SET ledger_number = 20 WHERE id = 'a';
UPDATE instances SET refund_count = 1 WHERE id = 'i-1'
