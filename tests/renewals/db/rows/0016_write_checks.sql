INSERT INTO write_checks (id, checked_at) VALUES (1, '2026-12-29T00:00:00Z');
