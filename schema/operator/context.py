"""What every resolver of an operator's request knows: who asks, and its instant."""

import datetime as dt
from dataclasses import dataclass, field

import strawberry

from renewals import audit, clocks


@dataclass
class Context:
    """One request of one operator; `now` is the same for all it reads, `clock` is for what it changes."""

    operator: audit.Operator
    clock: clocks.Clock
    now: dt.datetime = field(init=False)

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """After a change the time is another."""
        self.now = self.clock()

    def call(self, idempotency_key: str) -> audit.Call:
        """A call under this key."""
        return audit.Call(self.operator, idempotency_key, self.clock)


Info = strawberry.Info[Context, None]
