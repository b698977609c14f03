"""What is known of the request in hand: noted on its way by whoever knows it, told once at its end.

Nothing of what was sent is in it but the name of its operation. Outside of a request nothing is noted.
"""

from contextvars import ContextVar

NOT_KNOWN = "other"
"""The operation and the kind of what was not seen to be valid."""
ANONYMOUS = "anonymous"
ERROR_IDS_MAX = 10
OPERATION_CHARACTERS_MAX = 64
"""So much of an operation's name is told; a client may give it a longer one."""


class RequestRecord:
    """One request over HTTP, one web socket, or one operation of it."""

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
        """Of HTTP, or with which a web socket was closed."""
        self.codes: list[str] = []
        """Of its errors, each once, in the order they came."""
        self.error_ids: list[str] = []


current: ContextVar[RequestRecord | None] = ContextVar("record", default=None)
"""The request in hand."""


def note_principal(account_id: str | None, role: str, key_id: object) -> None:
    """Who asks: the account, which an operator has not, and by which key."""
    if record := current.get():
        record.account_id, record.role, record.key_id = account_id, role, key_id


def note_operation(name: str | None, kind: str) -> None:
    """Which operation it is, once it is known to be valid."""
    if record := current.get():
        if name and len(name) > OPERATION_CHARACTERS_MAX:
            name = f"{name[:OPERATION_CHARACTERS_MAX]}..."
        record.operation, record.kind = name or ANONYMOUS, kind


def note_cost(cost: float) -> None:
    """What the operation costs."""
    if record := current.get():
        record.cost = cost


def note_code(code: str) -> None:
    """The code of an error that is answered."""
    if (record := current.get()) and code not in record.codes:
        record.codes.append(code)


def note_error_id(error_id: str) -> None:
    """The id under which the log has what went wrong inside."""
    if (record := current.get()) and len(record.error_ids) < ERROR_IDS_MAX:
        record.error_ids.append(error_id)
