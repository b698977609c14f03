-- An operator topped b up and raised a price, of which b has a cap.

UPDATE accounts SET price_rise_cap_bps = 1000, balance_cents = 150, ledger_number = 2 WHERE id = 'b';
UPDATE instances SET agreed_price_cents = 29000 WHERE id = 'i-6';
INSERT INTO ledger_entries (account_id, number, kind, amount_cents, balance_after_cents, memo, created_at) VALUES
  ('b', 2, 'TOP_UP', 50, 150, '汇款', '2027-01-10 02:05Z');
INSERT INTO audit_log (operator_key_id, operator_name, action, account_ids, idempotency_key, request_hash, request, before, after,
    answer, created_at) VALUES
  ('00000000-0000-7000-8000-0000000000a4', 'ops', 'TOP_UP', '{b}', 'top up b', sha256('a request'),
    '{"account_id": "b", "amount_cents": 50, "memo": "汇款"}', '{"balance_cents": 100}', '{"balance_cents": 150}',
    '{"account_id": "b", "number": 2}', '2027-01-10 02:05Z')
