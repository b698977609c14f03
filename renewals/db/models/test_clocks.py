"""Moves of test clocks."""

from tortoise import fields
from tortoise.models import Model

from renewals.db.models.accounts import Account


class ClockMove(Model):
    """A move of a test account's clock, written by `test_clocks.moves`.

    The move has advanced the clock to `reached_at`. The events of the move have numbers above `first_sequence`, up to
    `last_sequence`. `started_at`, `progressed_at` and `ended_at` are in real time; `ended_at` and `last_sequence` are
    None until `to_at` is reached.
    """

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    account_id: str
    idempotency_key = fields.CharField(max_length=64)
    from_at = fields.DatetimeField()
    to_at = fields.DatetimeField()
    reached_at = fields.DatetimeField()
    renewed_count = fields.IntField(default=0)
    refused_count = fields.IntField(default=0)
    expired_count = fields.IntField(default=0)
    released_count = fields.IntField(default=0)
    first_sequence = fields.BigIntField()
    last_sequence = fields.BigIntField(null=True)
    started_at = fields.DatetimeField()
    progressed_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "test_clock_moves"

    @property
    def event_count(self) -> int:
        """The number of the account's events during the move; 0 until the move is finished."""
        return 0 if self.last_sequence is None else self.last_sequence - self.first_sequence
