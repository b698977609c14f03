-- A run that parked an account, after which a rule was found broken.

INSERT INTO renewal_runs (trigger, scheduled_at, started_at, ended_at, renewed_count, refused_count, skipped_count, amount_cents,
    parked_count, broken_rules) VALUES
  ('START', '2027-01-10 02:30Z', '2027-01-10 02:30Z', '2027-01-10 02:31Z', 0, 0, 0, 0, 1, '{"an order is the sum of its lines"}');
INSERT INTO renewal_chunks (run_id, number, account_ids, due_count, done_at, renewed_count, refused_count, skipped_count,
    amount_cents, error) VALUES
  (currval('renewal_runs_id_seq'), 0, '{b}', 0, '2027-01-10 02:31Z', 0, 0, 0, 0, 'ValueError: no such zone')
