"""Enums and results that a later server may extend."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, Field


class OpenEnum(StrEnum):
    """A base class of enums that accepts an unknown value, as a member whose name is the value."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class OtherError(BaseModel):
    """An error that this version of the client does not know: show its message."""

    typename__: str = Field(alias="__typename")
    message: str
