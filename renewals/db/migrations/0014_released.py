"""Released instances are on no list unless their status is asked for, so they have an index of their own."""

from tortoise import migrations
from tortoise.migrations import operations as ops

APART = """
DROP INDEX instances_by_expiry;
DROP INDEX instances_by_mode;
CREATE INDEX instances_by_expiry ON instances (account_id, (coalesce(expires_at, 'infinity')), id)
  WHERE status <> 'RELEASED';
CREATE INDEX instances_by_mode ON instances (account_id, renewal_mode, (coalesce(expires_at, 'infinity')), id)
  WHERE status <> 'RELEASED';
CREATE INDEX instances_released ON instances (account_id, (coalesce(expires_at, 'infinity')), id)
  WHERE status = 'RELEASED'
"""
"""The first page of a list by expiry would else pass over everything that was ever released."""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0014_cut_over")]

    operations = [ops.RunSQL(APART, ops.RunSQL.noop)]
