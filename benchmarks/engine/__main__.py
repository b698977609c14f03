"""Run one contender once, and print its report as JSON: `python -m benchmarks.engine NAME URL PID`.

PID is the process id of PostgreSQL.
"""

import asyncio
import json
import sys

from benchmarks.engine import worker
from renewals.observability import gc_tuning


async def main() -> None:
    name, url, postgres_pid = sys.argv[1:]
    gc_tuning.tune_gc()  # the worker does this when it starts
    report = await worker.CONTENDERS[name](url, int(postgres_pid))
    print(json.dumps(report | {"peak_mib": worker.peak_mib()}))


asyncio.run(main())
