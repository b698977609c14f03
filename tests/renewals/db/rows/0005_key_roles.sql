-- A calendar's key that was revoked, one that ends, and an operator's.

INSERT INTO api_keys (id, account_id, role, name, prefix, secret_hash, created_at, expires_at, revoked_at) VALUES
  ('00000000-0000-7000-8000-0000000000a2', 'a', 'CALENDAR', '', '0b0b0b0b', sha256('rk_0b0b0b0b_of-a-calendar'),
    '2026-12-01 00:00Z', NULL, '2027-01-02 00:00Z'),
  ('00000000-0000-7000-8000-0000000000a3', 'a', 'RENEWER', '脚本', '0c0c0c0c', sha256('rk_0c0c0c0c_of-a-script'),
    '2026-12-01 00:00Z', '2027-06-30 00:00Z', NULL),
  ('00000000-0000-7000-8000-0000000000a4', NULL, 'OPERATOR', 'ops', '0d0d0d0d', sha256('rk_0d0d0d0d_of-an-operator'),
    '2026-12-01 00:00Z', NULL, NULL)
