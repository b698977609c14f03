-- The secret of the provider's endpoint was rotated.

UPDATE webhook_secrets SET ends_at = '2027-01-11 02:20Z' WHERE endpoint_id = '00000000-0000-7000-8000-0000000000e2';
INSERT INTO webhook_secrets (endpoint_id, number, secret, created_at, idempotency_key, overlap) VALUES
  ('00000000-0000-7000-8000-0000000000e2', 2, 'whsec_eHd2dXRzcnFwb25tbGtqaWhnZmVkY2Jh', '2027-01-10 02:20Z', 'rotate 1', '1 day')
