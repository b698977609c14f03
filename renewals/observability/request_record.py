"""The record of the current request, from which the log line, the metrics and the span are built.

The record contains no content of the request except the operation's name and the client's request id. Outside a
request, the functions do nothing.
"""

from contextvars import ContextVar

NOT_KNOWN = "other"
"""The initial value of `operation` and of `kind`, for example of a request that was refused before its validation."""
ANONYMOUS = "anonymous"
ERROR_IDS_MAX = 10
OPERATION_CHARACTERS_MAX = 64
"""The length to which the name of an operation is cut; clients can send names of any length."""


class RequestRecord:
    """One HTTP request, one web socket, or one operation of a web socket."""

    __slots__ = (
        "account_id",
        "codes",
        "cost",
        "error_ids",
        "key_id",
        "kind",
        "operation",
        "request_id",
        "role",
        "status",
    )

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.account_id: str | None = None
        self.role: str | None = None
        self.key_id: object = None
        self.operation = NOT_KNOWN
        self.kind = NOT_KNOWN
        self.cost: float | None = None
        self.status: int | None = None
        """The HTTP status, or the close code of a web socket."""
        self.codes: list[str] = []
        """The distinct codes of the request's errors, in order."""
        self.error_ids: list[str] = []


current: ContextVar[RequestRecord | None] = ContextVar("record", default=None)
"""The record of the current request."""


def note_principal(account_id: str | None, role: str, key_id: object) -> None:
    """Record the account (None for an operator), the role and the id of the API key."""
    if record := current.get():
        record.account_id, record.role, record.key_id = account_id, role, key_id


def note_operation(name: str | None, kind: str) -> None:
    """Record the name and the kind of a valid operation."""
    if record := current.get():
        if name and len(name) > OPERATION_CHARACTERS_MAX:
            name = f"{name[:OPERATION_CHARACTERS_MAX]}..."
        record.operation, record.kind = name or ANONYMOUS, kind


def note_cost(cost: float) -> None:
    """Record the operation's cost."""
    if record := current.get():
        record.cost = cost


def note_code(code: str) -> None:
    """Record the code of an error in the response."""
    if (record := current.get()) and code not in record.codes:
        record.codes.append(code)


def note_error_id(error_id: str) -> None:
    """Record the id of an internal error, of which at most ERROR_IDS_MAX are kept."""
    if (record := current.get()) and len(record.error_ids) < ERROR_IDS_MAX:
        record.error_ids.append(error_id)
