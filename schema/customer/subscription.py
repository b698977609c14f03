"""The root of all that is told as it happens."""

import strawberry

from schema.customer import events


@strawberry.type
class Subscription:
    events = strawberry.field(
        resolver=events.resolve_events,
        is_subscription=True,
        description="Everything after the given sequence, then live; without one, only what happens from now on.",
    )
