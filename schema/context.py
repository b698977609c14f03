"""What every resolver of a request knows: whose request it is, its instant, and its loaders."""

import datetime as dt
from dataclasses import dataclass, field

import strawberry

from schema import loaders


@dataclass
class Context:
    """One request of one account; `now` is the same throughout."""

    account_id: str
    now: dt.datetime
    load: loaders.Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drops what was read: after a change the rows of this request are others."""
        self.load = loaders.Loaders(self.account_id, self.now)


Info = strawberry.Info[Context, None]
