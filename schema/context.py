"""What every resolver of a request knows: whose request it is, its instant, and its loaders."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import strawberry

from renewals.domain.clock import Clock
from schema import loaders


async def _always() -> bool:
    return True


@dataclass
class Context:
    """One request of one account; `now` is the same for all it reads, `clock` is for what it changes.

    `caller` is whose budget it spends; `may_change` is False of a viewer; `is_admitted` tells a request that lasts
    whether its key still holds.
    """

    account_id: str
    clock: Clock
    caller: str = ""
    can_write: bool = True
    is_authorized: Callable[[], Awaitable[bool]] = _always
    now: dt.datetime = field(init=False)
    load: loaders.Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.refresh()

    @property
    def owner(self) -> str:
        """Who takes turns with others: the account."""
        return self.account_id

    def copy_for_operation(self) -> "Context":
        """The same for another operation of a connection, with an instant and loaders of its own."""
        return Context(self.account_id, self.clock, self.caller, self.can_write, self.is_authorized)

    def refresh(self) -> None:
        """Drops what was read: after a change the rows of this request are others, and so is the time."""
        self.now = self.clock()
        self.load = loaders.Loaders(self.account_id, self.now)


Info = strawberry.Info[Context, None]
