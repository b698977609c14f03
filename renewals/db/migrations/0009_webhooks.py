"""Webhook endpoints with their secrets; how far each account's events were sent; what waits or is parked."""

from tortoise import migrations
from tortoise.migrations import operations as ops

ENDPOINTS = """
CREATE TABLE webhook_endpoints (
  id uuid PRIMARY KEY,
  account_id text COLLATE "C" REFERENCES accounts (id),
  url text COLLATE "C" NOT NULL,
  event_types text[] COLLATE "C" NOT NULL,
  disabled_reason text COLLATE "C",
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  request_hash bytea NOT NULL,
  CONSTRAINT webhook_endpoints_once_per_key UNIQUE (account_id, idempotency_key));
CREATE UNIQUE INDEX webhook_endpoints_once_per_key_of_the_provider ON webhook_endpoints (idempotency_key)
  WHERE account_id IS NULL;
CREATE TABLE webhook_secrets (
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  number integer NOT NULL CHECK (number > 0),
  secret text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  ends_at timestamptz,
  idempotency_key text COLLATE "C" NOT NULL,
  PRIMARY KEY (endpoint_id, number),
  CONSTRAINT webhook_secrets_once_per_key UNIQUE (endpoint_id, idempotency_key));
CREATE UNIQUE INDEX webhook_secrets_one_current ON webhook_secrets (endpoint_id) WHERE ends_at IS NULL
"""
"""An endpoint without an account is the provider's, for all accounts."""

DELIVERIES = """
CREATE TABLE webhook_cursors (
  endpoint_id uuid NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL CHECK (sequence >= 0),
  last_sequence bigint NOT NULL,
  PRIMARY KEY (endpoint_id, account_id),
  CONSTRAINT never_beyond_the_last_event CHECK (sequence <= last_sequence));
CREATE INDEX webhook_cursors_behind ON webhook_cursors (endpoint_id, account_id) WHERE sequence < last_sequence;
CREATE TABLE webhook_deliveries (
  endpoint_id uuid NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  lane text COLLATE "C" NOT NULL,
  attempts integer NOT NULL CHECK (attempts >= 0),
  last_attempted_at timestamptz,
  next_attempt_at timestamptz,
  parked_at timestamptz,
  last_status smallint,
  last_error text COLLATE "C",
  last_response text COLLATE "C",
  PRIMARY KEY (endpoint_id, account_id, sequence),
  CONSTRAINT parked_is_not_tried CHECK (parked_at IS NULL OR next_attempt_at IS NULL));
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_lanes ON webhook_deliveries (endpoint_id, account_id, lane, sequence)
  WHERE parked_at IS NULL;
CREATE INDEX webhook_deliveries_parked ON webhook_deliveries (endpoint_id, account_id, sequence)
  WHERE parked_at IS NOT NULL;
CREATE TABLE webhook_states (
  endpoint_id uuid PRIMARY KEY,
  claim uuid,
  claimed_until timestamptz,
  last_turn_at timestamptz,
  last_account_id text COLLATE "C" NOT NULL DEFAULT '',
  failure_count integer NOT NULL DEFAULT 0,
  pause_count integer NOT NULL DEFAULT 0,
  paused_until timestamptz,
  failing_since timestamptz,
  last_attempted_at timestamptz,
  last_delivered_at timestamptz,
  last_status smallint,
  last_error text COLLATE "C",
  last_response text COLLATE "C",
  delivered_count bigint NOT NULL DEFAULT 0)
"""
"""Without foreign keys: a renewal writes cursors, and must not fail because an endpoint is deleted meanwhile.
What is left of a deleted endpoint is swept up by the worker."""

DROP_DELIVERIES = "DROP TABLE webhook_states; DROP TABLE webhook_deliveries; DROP TABLE webhook_cursors"


class Migration(migrations.Migration):
    dependencies = [("renewals", "0007_operators")]

    operations = [
        ops.RunSQL(ENDPOINTS, "DROP TABLE webhook_secrets; DROP TABLE webhook_endpoints"),
        ops.RunSQL(DELIVERIES, DROP_DELIVERIES),
    ]
