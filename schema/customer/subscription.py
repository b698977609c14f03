"""The root of the customers' subscriptions."""

import strawberry

from schema.customer import events


@strawberry.type(description="Events over a WebSocket or as server-sent events.")
class Subscription:
    events = strawberry.field(
        resolver=events.resolve_events,
        is_subscription=True,
        description=(
            "The account's events: first those with a sequence greater than `after`, then each new event as it "
            "happens."
        ),
    )
