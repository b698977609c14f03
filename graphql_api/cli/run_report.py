"""Lines that the command line prints about runs, attempts and integrity rules, in a given language."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from graphql_api.cli import text_table
from renewals import integrity
from renewals.auto_renewal import attempts
from renewals.auto_renewal.runs import Trigger
from renewals.db.models import RenewalRun
from renewals.domain.messages import Message
from renewals.domain.model import Language
from renewals.domain.money import Cents
from renewals.i18n.catalogs import translate
from renewals.operators import run_now

_TRIGGERS: Mapping[str, Message] = {
    Trigger.SCHEDULED: Message("SCHEDULED"),
    Trigger.START: Message("START"),
    Trigger.OPERATOR: Message("OPERATOR"),
    Trigger.TEST_CLOCK: Message("TEST_CLOCK"),
}
_INTEGRITY: Mapping[bool | None, Message] = {
    None: Message("not verified"),
    True: Message("consistent"),
    False: Message("INCONSISTENT"),
}
_BROKEN, _OK = Message("BROKEN"), Message("ok")
_STATE_CELLS = 8


def format_run(run: RenewalRun, parked: Sequence[tuple[str, str]], language: Language) -> Iterator[str]:
    """Yield a line for a run, for each parked account, and for each integrity rule that was broken after the run."""
    yield translate(_run(run), language)
    for account_id, error in parked:
        yield "  " + translate(
            Message("parked {account}: {error}", account=account_id, error=error), language
        )
    for rule in run.broken_rules or ():
        yield f"  {translate(_BROKEN, language)} {translate(integrity.label(rule), language)}"


def format_result(result: run_now.RunNowResult, at: dt.datetime, language: Language) -> Iterator[str]:
    """Yield a line for each interrupted run that `run-now` finished, and a line for the new run at the instant `at`."""
    for run in result.finished:
        finished = Message("interrupted run {id} was finished: {counts}", id=run.id, counts=_counts(run))
        yield translate(finished, language)
    done = Message(
        "run {id} at {at}: {counts}, {expired} expired, {released} released",
        id=result.run.id,
        at=at.isoformat(),
        counts=_counts(result.run),
        expired=result.lapsed.expired_count,
        released=result.lapsed.released_count,
    )
    yield translate(done, language)


def format_progress(done_count: int, chunk_count: int, language: Language) -> str:
    """Return a line with the number of chunks done and the total, of the new run or of all interrupted runs."""
    return translate(Message("chunks done: {done} of {count}", done=done_count, count=chunk_count), language)


def format_attempts(
    attempts: Sequence[attempts.Attempt], count_max: int, language: Language, *, can_be_raised: bool
) -> Iterator[str]:
    """Yield a line for each of at most `count_max` attempts, and a hint if there are more.

    The hint advises a greater `count_max` only if `can_be_raised` is True.
    """
    for attempt in attempts[:count_max]:
        yield f"  {attempt.account_id}  {attempt.instance_id}  {translate(_outcome(attempt), language)}"
    if attempts[count_max:]:
        more = (
            Message(
                "there are more attempts: filter with --account or --failed, or raise --count above {count}"
            )
            if can_be_raised
            else Message("there are more attempts: filter with --account or --failed")
        )
        yield f"  {translate(more.fill(count=count_max), language)}"


def format_rule(rule: str, violations: Sequence[integrity.Violation], language: Language) -> Iterator[str]:
    """Yield a line for an integrity rule, and a line for each of the given rows that break the rule."""
    state = translate(_BROKEN if violations else _OK, language)
    yield text_table.pad_right(state, _STATE_CELLS) + translate(integrity.label(rule), language)
    for row in violations:
        yield " " * _STATE_CELLS + ", ".join(f"{name}={value}" for name, value in row.items())


def _outcome(attempt: attempts.Attempt) -> Message:
    if attempt.price_cents is not None:
        return Message("renewed for {amount}", amount=Cents(attempt.price_cents))
    return Message("{code}: {reason}", code=attempt.code or "", reason=attempt.message or "")


def _counts(run: RenewalRun) -> Message:
    return Message(
        "{renewed} renewed for {amount}, {refused} refused, {skipped} skipped",
        renewed=run.renewed_count,
        amount=Cents(run.amount_cents),
        refused=run.refused_count,
        skipped=run.skipped_count,
    )


def _run(run: RenewalRun) -> Message:
    ended = (
        Message("ended {at}", at=run.ended_at.isoformat(timespec="seconds"))
        if run.ended_at
        else Message("not ended")
    )
    return Message(
        "run {id} {trigger} for {scheduled}, {late} s late, {ended}: {counts}, parked accounts: {parked}; {integrity}",
        id=run.id,
        trigger=_TRIGGERS.get(run.trigger, run.trigger),
        scheduled=run.scheduled_at.isoformat(timespec="seconds"),
        late=round(run.lateness.total_seconds()),
        ended=ended,
        counts=_counts(run),
        parked=run.parked_count or 0,
        integrity=_INTEGRITY[None if run.broken_rules is None else not run.broken_rules],
    )
