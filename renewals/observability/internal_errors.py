"""What went wrong on our side: the log is told everything, a client an id that stands there, too."""

import logging
import secrets

from renewals.observability import metrics, request_record

log = logging.getLogger(__name__)

CODE = "INTERNAL"
MESSAGE = "Something went wrong on our side."


def report_internal_error(problem: BaseException, *, path: object = None) -> dict[str, str]:
    """Logs a problem with its traceback; answers the extensions of the error that a client gets."""
    error_id = secrets.token_hex(8)
    fields = {"error_id": error_id} | ({"path": str(path)} if path else {})
    log.error("internal error %s", error_id, exc_info=problem, extra=fields)
    metrics.INTERNAL_ERRORS.inc()
    request_record.note_code(CODE)
    request_record.note_error_id(error_id)
    return {"code": CODE, "id": error_id}
