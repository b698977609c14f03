"""What every resolver of an operator's request knows: who asks, and its instant."""

import datetime as dt
from dataclasses import dataclass, field
from typing import ClassVar

import strawberry

from renewals.domain.clock import Clock
from renewals.operators import audit_log
from schema import loaders


@dataclass
class Context:
    """One request of one operator; `now` is the same for all it reads, `clock` is for what it changes."""

    operator: audit_log.Operator
    clock: Clock
    now: dt.datetime = field(init=False)
    load: loaders.OrderLoaders = field(init=False)
    can_write: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Drops what was read: after a change it is other, and so is the time."""
        self.now = self.clock()
        self.load = loaders.OrderLoaders()

    @property
    def caller(self) -> str:
        """Whose budget the request spends."""
        return str(self.operator.key_id or (self.operator.issuer, self.operator.name))

    @property
    def owner(self) -> str:
        """Who takes turns with accounts: the operator."""
        return f"operator {self.caller}"

    def call(self, idempotency_key: str) -> audit_log.OperatorRequest:
        """A call under this key."""
        return audit_log.OperatorRequest(self.operator, idempotency_key, self.clock)


Info = strawberry.Info[Context, None]
