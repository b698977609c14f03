"""Checks of the values of settings, beyond types and bounds; each check returns the value or raises ValueError."""

import contextlib
import datetime as dt
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationInfo


def check_whole_minute(time: dt.time) -> dt.time:
    """Check that a time of day has no seconds and no zone."""
    if time.second or time.microsecond or time.tzinfo:
        raise ValueError("must be hours and minutes, such as 00:30")
    return time


def split_at_commas(text: object) -> object:
    """Return the non-empty parts of a comma-separated text, or return a value that is not a text unchanged."""
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def check_database_url(url: str | None) -> str | None:
    """Check the port of a URL.

    Some special characters in the password make the port invalid if they are not percent-encoded. The error never
    quotes the URL.
    """
    with contextlib.suppress(ValueError):
        if url is None or urlsplit(url).port != 0:
            return url
    raise ValueError(
        "must look like postgres://user:password@host:5432/name; percent-encode / : @ # ? and % in the password"
    )


def check_issuer(url: str | None, info: ValidationInfo) -> str | None:
    """Check that a URL of an issuer begins with https://, or with http:// if `jwt_http` allows it."""
    schemes = ("https://", "http://") if info.data.get("jwt_http") else ("https://",)
    if url is not None and not url.startswith(schemes):
        raise ValueError(f"must begin with {' or '.join(schemes)}")
    return url


def check_audience(audience: str | None, info: ValidationInfo) -> str | None:
    """Check that the audience is set if the issuer is set."""
    if not audience and info.data.get("jwt_issuer"):
        raise ValueError("must be set, because RENEWALS_JWT_ISSUER is set")
    return audience


def check_minute_cost(cost: int, info: ValidationInfo) -> int:
    """Check that a budget is 0 (no limit), or enough for one request of the maximum cost."""
    least = info.data.get("cost_max", 0)
    if 0 < cost < least:
        raise ValueError(f"must be 0 or at least {least} (RENEWALS_COST_MAX), not {cost}")
    return cost


def check_fernet_key(key: SecretStr) -> SecretStr:
    """Check that a key is a valid Fernet key."""
    Fernet(key.get_secret_value())
    return key
