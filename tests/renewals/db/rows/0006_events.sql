-- What was told of b: that i-6 is not renewed, and why.

INSERT INTO event_streams (account_id, last_sequence) VALUES ('b', 3);
INSERT INTO events (account_id, sequence, type, occurred_at, instance_id, payload) VALUES
  ('b', 1, 'instance.renewal_failed', '2027-01-10 02:00Z', 'i-6', '{"dueAt": "2027-01-09T23:30:00+00:00",
    "expiresAt": "2027-01-10T22:59:59+00:00", "code": "INSUFFICIENT_FUNDS", "message": "299.00 is missing."}'),
  ('b', 2, 'instance.expiring', '2027-01-10 02:01Z', 'i-6', '{"expiresAt": "2027-01-10T22:59:59+00:00", "daysBefore": 1,
    "renewalMode": "AUTO", "code": "INSUFFICIENT_FUNDS", "message": "299.00 is missing."}'),
  ('b', 3, 'account.shortfall', '2027-01-10 02:01Z', NULL, '{"days": 15, "firstShortfallOn": "2027-01-10",
    "topUpNeeded": "299.00", "balance": "1.00"}');
INSERT INTO reminders (instance_id, expires_at, days) VALUES ('i-6', '2027-01-10 22:59:59Z', 1);
INSERT INTO account_watches (account_id, seen_on, seen_sequence, seen_ledger_number, told_sequence, told_ledger_number) VALUES
  ('a', '2027-01-10', 0, 18, NULL, NULL),
  ('b', '2027-01-10', 3, 1, 3, 1)
