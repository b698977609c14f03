-- A key that may only look was used, and an operator came with a token.

INSERT INTO api_keys (id, account_id, role, name, prefix, secret_hash, created_at, last_used_at) VALUES
  ('00000000-0000-7000-8000-0000000000a5', 'a', 'VIEWER', '', '0e0e0e0e', sha256('rk_0e0e0e0e_of-a-viewer'), '2027-01-10 02:30Z',
    '2027-01-10 02:31Z');
INSERT INTO audit_log (operator_name, operator_issuer, action, account_ids, idempotency_key, request_hash, request, answer, created_at)
  VALUES
  ('alice', 'https://issuer.example.com', 'CREATE_API_KEY', '{a}', 'a viewer', sha256('a request'), '{"account_id": "a"}',
    '{"key_id": "00000000-0000-7000-8000-0000000000a5"}', '2027-01-10 02:30Z')
