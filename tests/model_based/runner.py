"""Runs of the state machine. The same seed always leads to the same steps."""

import os

import hypothesis
from hypothesis import stateful

from tests.model_based import machine

STEPS_PER_EXAMPLE = 50

hypothesis.settings.register_profile(
    "stateful",
    stateful_step_count=STEPS_PER_EXAMPLE,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    suppress_health_check=list(hypothesis.HealthCheck),
    print_blob=False,
)
hypothesis.settings.register_profile(
    "stateful-unshrunk",
    hypothesis.settings.get_profile("stateful"),
    phases=[hypothesis.Phase.generate],
)
PROFILE = os.environ.get("STATEFUL_PROFILE", "stateful")
"""The profile of Hypothesis. Shrinking a failure takes one to two minutes; `stateful-unshrunk` skips it."""


def drive(seed: int, *, examples: int) -> None:
    """Run the state machine on `examples` new databases, with up to STEPS_PER_EXAMPLE steps on each."""
    settings = hypothesis.settings(hypothesis.settings.get_profile(PROFILE), max_examples=examples)
    hypothesis.seed(seed)(stateful.get_state_machine_test(machine.Renewals, settings=settings))()
