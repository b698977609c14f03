"""The context of a customer's request: the account, the instant, and the data loaders."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import strawberry

from renewals.domain import model
from renewals.domain.clock import Clock
from renewals.domain.model import Language
from renewals.i18n import accept_language
from schema import loaders


async def _always() -> bool:
    return True


@dataclass
class Context:
    """The context of one request of one account.

    All queries of the request use the same instant `now`; mutations read the clock again. `test_clock` is the current
    time of a test account, which queries use in place of the clock (rule 37). `caller` identifies the API key or token
    whose rate limit is charged, and `name` is the key's name or the token's subject. `can_write` is False for a VIEWER.
    During a subscription, `is_authorized` checks again whether the key or token is valid. `language` is the language of
    the messages.
    """

    account_id: str
    clock: Clock
    caller: str = ""
    can_write: bool = True
    is_authorized: Callable[[], Awaitable[bool]] = _always
    name: str = ""
    language: Language = field(default_factory=accept_language.current)
    test_clock: dt.datetime | None = None
    now: dt.datetime = field(init=False)
    load: loaders.Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.refresh()

    @property
    def actor(self) -> model.Actor:
        """The caller as the actor of events."""
        return model.Actor(model.ActorKind.CUSTOMER, self.name)

    @property
    def owner(self) -> str:
        """The account's id. The server limits the concurrent requests of each owner."""
        return self.account_id

    def copy_for_operation(self) -> "Context":
        """Return a context for an operation over a WebSocket or an event stream, with a new instant and new loaders."""
        return Context(
            self.account_id,
            self.clock,
            self.caller,
            self.can_write,
            self.is_authorized,
            self.name,
            self.language,
            self.test_clock,
        )

    def refresh(self) -> None:
        """Replace the instant and the loaders. After a change, the rows that were loaded before it are stale."""
        self.now = self.clock() if self.test_clock is None else self.test_clock
        self.load = loaders.Loaders(self.account_id, self.now)


Info = strawberry.Info[Context, None]
