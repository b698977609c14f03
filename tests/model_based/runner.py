"""Run the state machine: the same seed always gives the same steps."""

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
"""Shrinking a failure takes a minute or two; the other profile skips it."""


def drive(seed: int, *, examples: int) -> None:
    """Try databases, of about STEPS_PER_EXAMPLE steps each."""
    settings = hypothesis.settings(hypothesis.settings.get_profile(PROFILE), max_examples=examples)
    hypothesis.seed(seed)(stateful.get_state_machine_test(machine.Renewals, settings=settings))()
