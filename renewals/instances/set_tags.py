"""Setting the tags of a batch, in which each instance is decided separately, even in a bundle (rule 36)."""

from collections.abc import Mapping
from dataclasses import dataclass

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.domain import errors, model, tags
from renewals.domain import selection as domain_selection
from renewals.domain.clock import Clock
from renewals.domain.errors import Refusal
from renewals.domain.tags import TagChange, Tags
from renewals.instances import repository
from renewals.instances import selection as instances_selection


@dataclass(frozen=True, slots=True)
class TagsRequest:
    """A change of the tags of a selection of instances."""

    selector: instances_selection.InstanceSelector
    change: TagChange
    batch_mode: model.BatchMode = model.BatchMode.BEST_EFFORT


@dataclass(frozen=True, slots=True)
class TagsOutcome:
    """The new tags of the changed instances, the ids of the unchanged instances, and the refusals."""

    changed: Mapping[str, Tags]
    unchanged_ids: tuple[str, ...]
    refusals: tuple[Refusal, ...]


@database.retry_on_conflict
async def set_tags(account_id: str, request: TagsRequest, clock: Clock) -> TagsOutcome:
    """Change the tags of a batch and return the outcome, or raise DomainError and change nothing.

    If a request is repeated immediately, the repetition changes nothing. Requests therefore need no idempotency
    key.
    """
    instances_selection.check_selector(request.selector)
    request.change.check()
    async with accounts_repository.locked_account(account_id) as (connection, account):
        now = account.instant(clock())
        selection = await instances_selection.resolve_selection(
            connection, account_id, request.selector, model.BundleHandling.REFUSE, now
        )
        stored = await repository.read_tags(connection, [instance.id for instance in selection.instances])
        outcome = await instances_selection.plan_without_blocking(
            selection, plan_tags, selection, stored, request.change
        )
        if outcome.refusals and request.batch_mode is model.BatchMode.ALL_OR_NOTHING:
            raise errors.NotRenewableError(outcome.refusals)
        await repository.set_tags(connection, outcome.changed)
    return outcome


def plan_tags(
    selection: domain_selection.Selection, stored: Mapping[str, Tags], change: TagChange
) -> TagsOutcome:
    """Return the outcome of a change, decided separately for each instance of a selection.

    Unreleased instances that cannot be renewed can also be tagged.
    """
    changed: dict[str, Tags] = {}
    unchanged_ids: list[str] = []
    refusals = domain_selection.refuse_missing(selection)
    for instance in selection.instances:
        tagged = change.apply_to(stored[instance.id])
        refusal = domain_selection.refuse_released(instance) or tags.refuse_excess(instance.id, tagged)
        if refusal:
            refusals.append(refusal)
        elif tagged == stored[instance.id]:
            unchanged_ids.append(instance.id)
        else:
            changed[instance.id] = tagged
    return TagsOutcome(changed, tuple(unchanged_ids), tuple(refusals))
