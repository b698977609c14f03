"""The languages that a command prints in."""

from enum import StrEnum


class Language(StrEnum):
    EN = "en"
    ZH = "zh"
