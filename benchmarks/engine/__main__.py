"""Run one contender once in its own process and print JSON: `python -m benchmarks.engine NAME URL`."""

import asyncio
import json
import sys
import time

from benchmarks.engine import worker
from renewals.observability import gc_tuning


async def main() -> None:
    name, url = sys.argv[1:]
    gc_tuning.tune_gc()  # the worker does this when it starts
    report = await worker.CONTENDERS[name](url)
    print(json.dumps(report | {"cpu_seconds": time.process_time(), "peak_mib": worker.peak_mib()}))


asyncio.run(main())
