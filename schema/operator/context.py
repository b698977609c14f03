"""The context of an operator's request."""

import datetime as dt
from dataclasses import dataclass, field
from typing import ClassVar

import strawberry

from renewals.domain.clock import Clock
from renewals.domain.model import Language
from renewals.i18n import accept_language
from renewals.operators import audit_log
from schema import loaders


@dataclass
class OperatorContext:
    """The context of one request: queries share the instant `now`, and mutations use `clock`."""

    operator: audit_log.Operator
    clock: Clock
    language: Language = field(default_factory=accept_language.current)
    now: dt.datetime = field(init=False)
    load: loaders.OrderLoaders = field(init=False)
    can_write: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Discard loaded rows and advance `now`, because a change has made both outdated."""
        self.now = self.clock()
        self.load = loaders.OrderLoaders()

    @property
    def caller(self) -> str:
        """The name under which the rate limiter counts the operator's requests."""
        return str(self.operator.key_id or (self.operator.issuer, self.operator.name))

    @property
    def owner(self) -> str:
        """The operator's name as an owner in the fair queue of requests, in which accounts are owners too."""
        return f"operator {self.caller}"

    def call(self, idempotency_key: str) -> audit_log.OperatorRequest:
        """Return a request of the operator with an idempotency key."""
        return audit_log.OperatorRequest(self.operator, idempotency_key, self.clock)


Info = strawberry.Info[OperatorContext, None]
