"""`test_model_based` with random seeds, for a given number of steps or seconds. `make soak` runs this test.

make soak                  20,000 steps
make soak STEPS=500000
make soak SECONDS=600
make soak SEED=123         repeats the round with this seed
"""

import os
import random
import time

from tests.model_based import runner, stage
from tests.model_based.test_model_based import TRIED

EXAMPLES_PER_ROUND = 20


def test_the_database_equals_the_model_for_random_seeds() -> None:
    seconds, steps = int(os.environ.get("SOAK_SECONDS") or 0), int(os.environ.get("SOAK_STEPS") or 0)
    seed = os.environ.get("SOAK_SEED")
    started = time.monotonic()
    stage.TALLY.clear()
    try:
        while True:
            round_seed = int(seed) if seed else random.SystemRandom().randrange(2**32)
            say(f"seed {round_seed}, from step {stage.TALLY['steps']:,} on")
            runner.drive(round_seed, examples=EXAMPLES_PER_ROUND)
            is_long_enough = not seconds or time.monotonic() - started >= seconds
            if seed or (is_long_enough and stage.TALLY["steps"] >= steps):
                break
    finally:
        for result_name, count in sorted(stage.TALLY.items()):
            say(f"{count:9,}  {result_name}")
        say(f"never: {', '.join(sorted(TRIED - stage.TALLY.keys())) or 'nothing'}")
        say(f"{stage.TALLY['steps']:,} steps in {time.monotonic() - started:.0f} s")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
