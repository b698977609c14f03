"""Internal errors: the exception is logged with an id, and the client receives the id."""

import logging
import secrets

from renewals.domain.messages import Message
from renewals.observability import metrics, request_record

log = logging.getLogger(__name__)

CODE = "INTERNAL"
MESSAGE = Message("An internal error occurred.")


def report_internal_error(error: BaseException, *, path: object = None) -> dict[str, str]:
    """Log an exception with its traceback, and return the extensions of the client's error: `code` and `id`."""
    error_id = secrets.token_hex(8)
    fields = {"error_id": error_id} | ({"path": str(path)} if path else {})
    log.error("internal error %s", error_id, exc_info=error, extra=fields)
    metrics.INTERNAL_ERRORS.inc()
    request_record.note_code(CODE)
    request_record.note_error_id(error_id)
    return {"code": CODE, "id": error_id}
