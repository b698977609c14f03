"""The program that each process of the pool runs: it executes jobs from its standard input until the parent ends."""

import asyncio
import contextlib
import logging
import os
import pickle
import threading
import time
from typing import Any

from renewals import config
from renewals.compute.messages import HEADER, Job
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.observability import gc_tuning, log_config

log = logging.getLogger(__name__)


async def _serve() -> None:
    """Run the jobs from the standard input, and write their responses to the standard output, until the input ends."""
    source, responses = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that print() does not corrupt the responses
    settings = _read(source)
    if settings is None:
        return
    config.use(settings)
    gc_tuning.tune_gc()
    one_connection = {"database_pool_size": 1, "database_pool_size_min": 0}
    async with database.connect_from_settings(settings.model_copy(update=one_connection)):
        while (job := await asyncio.to_thread(_read, source)) is not None:
            response = await _run(job)
            responses.write(HEADER.pack(len(response)) + response)
            responses.flush()


def _read(source: Any) -> Any:
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return pickle.loads(source.read(HEADER.unpack(header)[0]))  # noqa: S301 - written by the API's process


async def _run(job: Job) -> bytes:
    """Run a job and return a pickled pair: its value and None, or None and its exception."""
    try:
        return pickle.dumps((await job.work(*job.arguments), None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - the API's process raises it
        return _pickle_error(error)


def _pickle_error(error: Exception) -> bytes:
    """Return the pickled pair of None and the exception.

    An exception that cannot be pickled becomes a RuntimeError with its text. The error of an unavailable database
    becomes a ConnectionError.
    """
    sent: Exception = error
    if db_errors.is_unavailable(error):
        sent = ConnectionError(str(error) or type(error).__name__)
    try:
        data = pickle.dumps((None, sent), pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # noqa: S301 - pickled here
    except Exception:
        log.exception("a job raised an exception that cannot be pickled")
        return pickle.dumps((None, RuntimeError(repr(error))), pickle.HIGHEST_PROTOCOL)
    return data


def _end_with_parent(parent: int) -> None:
    """Wait until the parent process has ended, then end this process, even during a job."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _main() -> None:
    log_config.configure(config.get_settings())
    threading.Thread(target=_end_with_parent, args=[os.getppid()], daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_serve())
    os._exit(0)  # does not wait for the thread that reads


if __name__ == "__main__":
    _main()
