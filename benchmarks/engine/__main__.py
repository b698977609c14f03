"""One contender, once, in a process of its own, its result as JSON: `python -m benchmarks.engine NAME URL 200`."""

import asyncio
import json
import sys
import time

from benchmarks.engine import worker
from renewals.observability import gc_tuning


async def main() -> None:
    name, url, sampled = sys.argv[1:]
    gc_tuning.tune_gc()  # as the worker does
    done = await worker.CONTENDERS[name](url, int(sampled))
    print(json.dumps(done | {"cpu_seconds": time.process_time(), "peak_mib": worker.peak_mib()}))


asyncio.run(main())
