"""GraphQL over a web socket (the protocol graphql-transport-ws): authentication, limits and refusals."""

import asyncio
import contextlib
import contextvars
import datetime as dt
import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from graphql import GraphQLError, OperationType
from starlette.websockets import WebSocket
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types.execution import PreExecutionError

from graphql_api import errors
from graphql_api.auth import authentication
from graphql_api.graphql import http_request, operation_limits
from graphql_api.limits import concurrency
from graphql_api.middleware import request_log
from renewals.db import errors as db_errors
from renewals.db import pool
from renewals.domain import validation
from renewals.domain.messages import Message
from renewals.i18n import accept_language, catalogs
from renewals.observability import internal_errors, request_record
from schema.context import Context
from schema.limits import document_limits, limit_errors

log = logging.getLogger(__name__)

INIT_TIME_MAX = dt.timedelta(seconds=10)
"""The time limit for `connection_init`, after which the connection is closed."""
OPERATIONS_MAX = 10
"""The maximum number of operations that one connection runs at a time."""
TRY_AGAIN_LATER = 1013
"""The close code after which clients pause and then reconnect."""
_admitted: contextvars.ContextVar[document_limits.Admitted] = contextvars.ContextVar("admitted")
"""The kind and the cost of the operation that the current task starts or runs."""


@dataclass(kw_only=True)
class SocketContext(Context):
    """The context of one connection. `account_id` is empty until `connection_init` arrives and is authenticated."""

    account_id: str = ""
    socket: WebSocket
    connection_params: Mapping[str, object] = field(default_factory=dict)
    slots: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    async def identify(self) -> None:
        """Authenticate the connection. Raises ConnectionRejectionError."""
        customer = await authentication.identify_customer(self._header, self.clock())
        if customer is None or customer.account_id is None:
            raise ConnectionRejectionError
        self.account_id = customer.account_id
        self._choose_language(self._parameter("accept-language"))
        self.caller = customer.rate_limit_key
        self.can_write = authentication.can_write(customer)
        self.name = customer.name
        self.test_clock = customer.test_clock
        self.is_authorized = functools.partial(
            authentication.is_still_valid, self._header, self.account_id, self.clock
        )

    def _choose_language(self, header: str) -> None:
        """Set the language that `header` selects, unless `header` is empty.

        `header` is the parameter `accept-language` of `connection_init`. A page sends this parameter because
        JavaScript cannot set the headers of a web socket.
        """
        if header:
            self.language = accept_language.negotiate(header)
            accept_language.set_current(self.language)

    async def identify_again(self) -> bool:
        """Return whether the key or token can still read the account; if it can, update the context's test clock."""
        customer = await authentication.identify_customer(self._header, self.clock())
        if customer is None or customer.account_id != self.account_id:
            return False
        self.test_clock = customer.test_clock
        return True

    @property
    def _header(self) -> str:
        return self.socket.headers.get("authorization") or self._parameter("authorization")

    def _parameter(self, name: str) -> str:
        """Return a parameter of `connection_init`, or an empty text."""
        parameters = {key.lower(): value for key, value in self.connection_params.items()}
        return str(parameters.get(name, ""))


SocketOperation = Operation[object, None]
"""An operation of a web socket, with the type of its context left open as in Strawberry's base class."""


class LimitedView(Protocol):
    """The limits of the view to which a web socket belongs."""

    requests: concurrency.RequestLimiter
    subscriptions: concurrency.ConcurrencyLimiter
    limits: operation_limits.OperationLimits
    seconds_max: float


class Handler(BaseGraphQLTransportWSHandler[Any, None]):
    """Strawberry's handler with this server's limits. It checks the key or token again before each operation."""

    async def handle(self) -> None:
        """Serve the connection; release its slots at the end."""
        with contextlib.ExitStack() as self.context.slots:
            await super().handle()

    async def handle_message(self, message: Any) -> None:
        """Handle one message; close the connection if its key is invalid or an error is no refusal of an operation."""
        try:
            is_operation = message.get("type") == "subscribe" and self.connection_acknowledged
            if not is_operation:
                await super().handle_message(message)
            elif not await self.context.identify_again():
                await self.websocket.close(4403, "Forbidden")
            else:
                with request_log.separate_record():
                    await self._handle_subscribe(message)
        except errors.HTTPError as refusal:  # a new connection is refused; `_refuse` refuses an operation
            request_record.note_code(refusal.code)
            await self.websocket.close(TRY_AGAIN_LATER, "Too many web sockets")
        except Exception as problem:  # noqa: BLE001 - the last handler, as for /graphql
            if db_errors.is_unavailable(problem):
                log.warning("closing a web socket, because a server is unavailable: %s", problem)
                await self.websocket.close(TRY_AGAIN_LATER, "Try again later")
            else:
                await self.websocket.close(
                    1011, f"{internal_errors.CODE} {internal_errors.report_internal_error(problem)['id']}"
                )

    async def _handle_subscribe(self, message: Any) -> None:
        """Check the limits of an operation and start it, or send its refusal."""
        payload = message["payload"]
        if message["id"] in self.operations:
            await super().handle_message(message)  # Strawberry closes the connection
            return
        if len(self.operations) >= OPERATIONS_MAX:
            text = Message(
                "This web socket runs {count} operations, which is the maximum. Complete one first.",
                count=OPERATIONS_MAX,
            )
            await self._refuse(
                message["id"], catalogs.translate_for_request(text), {"code": "TOO_MANY_AT_ONCE"}
            )
            return
        try:
            view = self._limited_view
            with view.requests.lane(self.context.owner) as lane:
                query, admitted = await view.limits.check(
                    http_request.build_request(payload), self.context, lane, message.get("characters", 0)
                )
        except errors.HTTPError as refusal:
            await self._refuse(message["id"], refusal.translate(), {"code": refusal.code})
        except limit_errors.LimitExceededError as exceeded:
            await self._refuse(
                message["id"], catalogs.translate_for_request(exceeded.reason), exceeded.extensions
            )
        else:
            payload["query"] = query
            _admitted.set(admitted)  # the task of the operation copies the variable
            await super().handle_message(message)

    @property
    def _limited_view(self) -> LimitedView:
        return cast(LimitedView, self.view)

    async def _refuse(self, operation_id: str, message: str, extensions: Mapping[str, object] | None) -> None:
        with request_log.operation():
            request_record.note_code(str((extensions or {}).get("code")))
        payload = [{"message": message, "extensions": extensions}]
        await self.websocket.send_json({"id": operation_id, "type": "error", "payload": payload})

    async def run_operation(self, operation: SocketOperation) -> None:
        """Run an operation within its limits, and log it."""
        with request_log.operation():
            await self._run_within_limits(operation)

    async def _run_within_limits(self, operation: SocketOperation) -> None:
        view = self._limited_view
        if _admitted.get().kind is OperationType.SUBSCRIPTION:
            try:
                with view.subscriptions.slot(self.context.caller):
                    await super().run_operation(operation)
            except errors.HTTPError as refusal:
                await self._send_error(operation, refusal.code, refusal.translate())
            return
        deadline = asyncio.timeout(view.seconds_max)
        try:
            async with deadline:
                await self._run_in_turn(operation)
        except errors.HTTPError as refusal:
            await self._send_error(operation, refusal.code, refusal.translate())
        except TimeoutError:
            if not deadline.expired():
                raise
            await self._send_error(
                operation,
                "TIMEOUT",
                catalogs.translate_for_request(http_request.timeout_message(view.seconds_max)),
            )

    async def _run_in_turn(self, operation: SocketOperation) -> None:
        view = self._limited_view
        with view.requests.lane(self.context.owner) as lane, pool.sharing(self.context.owner):
            async with view.requests.turn(self.context.caller):
                if _admitted.get().cost > concurrency.HEAVY_COST:
                    await lane.enter()
                await super().run_operation(operation)

    @staticmethod
    async def _send_error(operation: SocketOperation, code: str, message: str) -> None:
        request_record.note_code(code)
        await operation.send_initial_errors([GraphQLError(message, extensions={"code": code})])

    async def _send_result_stream(self, operation: SocketOperation, result_source: Any) -> None:
        await super()._send_result_stream(operation, request_log.with_cost(result_source))

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> None:
        """Return None, so that the connection stays open: the error of an operation is sent with the operation's id."""

    async def _handle_pre_execution_error(
        self, operation: SocketOperation, result: PreExecutionError
    ) -> None:
        problem = result.errors[0].original_error if result.errors else None
        if isinstance(problem, CannotGetOperationTypeError):
            request_record.note_code("BAD_REQUEST")
            message = validation.truncate(problem.as_http_error_reason(), errors.SHOWN_CHARACTERS_MAX)
            result.errors = [GraphQLError(message, extensions={"code": "BAD_REQUEST"})]
        await super()._handle_pre_execution_error(operation, result)

    async def handle_task_exception(self, error: Exception) -> None:
        """Report an unexpected error of a task; ignore the disconnection of the client."""
        if not isinstance(error, WebSocketDisconnected):
            internal_errors.report_internal_error(error)
