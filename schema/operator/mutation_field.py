"""The fields of the operators' mutations.

Each has an input, a use case that runs once for each idempotency key, and a success type.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from renewals.operators.audit_log import IdempotentResult, OperatorRequest
from schema.operator.context import OperatorContext
from schema.operator.errors import NotFound
from schema.operator.inputs import IdempotentInput
from schema.shared import mutations
from schema.shared.errors import Error, IdempotencyKeyReused

Input = TypeVar("Input", bound=IdempotentInput)

_STORED_NAMES = {"refused": "refusals", "reason": "error"}
"""The names of success types' fields in the stored answer, by field, where the two names differ."""


def mutation_field(
    input_type: type[Input],
    success_type: type,
    run: Callable[[OperatorRequest, Input], Awaitable[IdempotentResult]],
    *,
    errors: tuple[type[Error], ...] = (NotFound,),
    description: str,
) -> object:
    """Return a mutation that runs a use case and returns `success_type` or a typed error.

    `errors` are the types of errors that the use case can raise, besides IdempotencyKeyReused and InvalidInput. The
    values of the success type's fields, except `secret`, are taken from the stored answer by name.
    """

    async def handle(context: OperatorContext, request: Any) -> Any:
        result = await run(context.call(request.idempotency_key), request)
        return _build_success(success_type, result)

    handle.__annotations__ |= {"request": input_type, "return": success_type}
    return mutations.mutation_field(handle, *errors, IdempotencyKeyReused, description=description)


def _build_success(success_type: Any, result: IdempotentResult) -> Any:
    values = {**result.answer, "secret": result.secret}
    names = [field.name for field in dataclasses.fields(success_type) if field.init]
    return success_type(**{name: values[_STORED_NAMES.get(name, name)] for name in names})
