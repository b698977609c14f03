"""Settings from the environment, read once."""

from functools import cache

from renewals.config.settings import SettingMissingError, Settings, replace
from renewals.config.variable_names import format_errors, unknown_variables, variables

__all__ = [
    "SettingMissingError",
    "Settings",
    "format_errors",
    "get_settings",
    "replace",
    "unknown_variables",
    "use",
    "variables",
]


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read from the environment once."""
    return Settings()


def use(settings: Settings) -> None:
    """Replace the settings of this process."""
    global get_settings  # noqa: PLW0603 - the settings belong to the process
    get_settings = cache(lambda: settings)
