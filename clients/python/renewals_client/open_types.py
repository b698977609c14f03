"""Base classes of enums and errors to which a later server can add values and types."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, Field


class OpenEnum(StrEnum):
    """A base class of enums that accepts an unknown value as a new member. The name of this member is the value."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class OtherError(BaseModel):
    """An error type that this version of the client does not define; show its message."""

    typename__: str = Field(alias="__typename")
    message: str
