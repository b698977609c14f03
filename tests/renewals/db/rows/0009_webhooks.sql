-- An endpoint of b, which fails, and one of the provider, which was switched off. One delivery waits, one is parked.

INSERT INTO webhook_endpoints (id, account_id, url, event_types, disabled_reason, created_at, changed_at, idempotency_key,
    request_hash) VALUES
  ('00000000-0000-7000-8000-0000000000e1', 'b', 'https://hooks.example.com/b', '{}', NULL, '2027-01-10 01:00Z',
    '2027-01-10 01:00Z', 'an endpoint', sha256('a request')),
  ('00000000-0000-7000-8000-0000000000e2', NULL, 'https://hooks.example.com/', '{instance.renewed}', 'disabled by its owner',
    '2027-01-10 01:00Z', '2027-01-10 01:30Z', 'an endpoint', sha256('a request'));
INSERT INTO webhook_secrets (endpoint_id, number, secret, created_at, ends_at, idempotency_key) VALUES
  ('00000000-0000-7000-8000-0000000000e1', 1, 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz', '2027-01-10 01:00Z', '2027-01-11 01:00Z',
    'an endpoint'),
  ('00000000-0000-7000-8000-0000000000e1', 2, 'whsec_OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2', '2027-01-10 01:10Z', NULL, 'rotate 1'),
  ('00000000-0000-7000-8000-0000000000e2', 1, 'whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4', '2027-01-10 01:00Z', NULL, 'an endpoint');
INSERT INTO webhook_cursors (endpoint_id, account_id, sequence, last_sequence) VALUES
  ('00000000-0000-7000-8000-0000000000e1', 'b', 2, 3),
  ('00000000-0000-7000-8000-0000000000e2', 'b', 0, 3);
INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, last_attempted_at, next_attempt_at, parked_at,
    last_status, last_error, last_response) VALUES
  ('00000000-0000-7000-8000-0000000000e1', 'b', 1, 'i-6', 12, '2027-01-10 02:02Z', NULL, '2027-01-10 02:02Z', 500, 'HTTP 500',
    'Oh no.'),
  ('00000000-0000-7000-8000-0000000000e1', 'b', 2, 'i-6', 1, '2027-01-10 02:02Z', '2027-01-10 02:07Z', NULL, 500, 'HTTP 500',
    'Oh no.');
INSERT INTO webhook_states (endpoint_id, claim, claimed_until, last_turn_at, last_account_id, failure_count, pause_count,
    paused_until, failing_since, last_attempted_at, last_delivered_at, last_status, last_error, last_response, delivered_count) VALUES
  ('00000000-0000-7000-8000-0000000000e1', '00000000-0000-4000-8000-000000000001', '2027-01-10 02:03Z', '2027-01-10 02:02Z', 'b',
    2, 1, '2027-01-10 02:04Z', '2027-01-10 02:01Z', '2027-01-10 02:02Z', '2027-01-10 02:00Z', 500, 'HTTP 500', 'Oh no.', 7)
