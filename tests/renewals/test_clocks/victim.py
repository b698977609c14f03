"""A process that works on a move of a test clock, prints each tick, and waits to be killed."""

import asyncio
import sys
import uuid

from renewals.db import connection as database
from renewals.db.models import ClockMove
from renewals.domain import clock as clocks
from renewals.test_clocks import advance, moves


def _print_tick(move: ClockMove) -> None:
    sys.stdout.write(f"{move.reached_at.isoformat()}\n")
    sys.stdout.flush()


async def _work(url: str, move_id: str) -> None:
    async with database.connect(url, pool_size=2):
        move = await moves.find_in(database.pool(), uuid.UUID(move_id))
        assert move is not None
        await advance.continue_move(move, clocks.utc_now, seconds_max=600, on_tick=_print_tick)


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2]))
