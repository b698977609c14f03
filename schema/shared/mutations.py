"""Mutation fields: each takes one `input` argument, and returns a union of the success and the typed errors."""

import functools
import inspect
import operator
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import strawberry

from schema.shared import errors

_SUCCESS = "Success"


def mutation_field(
    handler: Callable[[Any, Any], Awaitable[Any]], *error_types: type[errors.Error], description: str
) -> object:
    """Return the field of a mutation.

    The handler takes the context and the input, and returns the success type `...Success`. The field's type is the
    union `...Result` of that type, the error types and InvalidInput. If the success has a method `prime`, this method
    fills the loaders of the result with rows that the change has already read.
    """
    signature = inspect.signature(handler)
    _, request = signature.parameters.values()
    prime = getattr(signature.return_annotation, "prime", None)

    async def resolve(info: strawberry.Info[Any, None], request: Any) -> Any:
        success = await handler(info.context, request)
        info.context.refresh()  # the fields of the result are read after the change
        if prime is not None:
            prime(success, info.context.load)
        return success

    annotations = resolve.__annotations__
    annotations["request"] = Annotated[
        request.annotation, strawberry.argument(name="input", description="All arguments of the mutation.")
    ]
    annotations["return"] = _result_type(signature.return_annotation, error_types)
    return strawberry.mutation(resolver=resolve, description=description)


def _result_type(success: type, error_types: tuple[type[errors.Error], ...]) -> object:
    """Return the union of a mutation's success and its errors, named after the success."""
    name = success.__name__.removesuffix(_SUCCESS)
    members: object = functools.reduce(operator.or_, (success, *error_types, errors.InvalidInput))
    field_name = name[0].lower() + name[1:]
    description = f"The success of {field_name}, or an error. After an error nothing has changed."
    return Annotated[members, strawberry.union(f"{name}Result", description=description)]
