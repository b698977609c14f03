"""The language of a request, chosen from its Accept-Language header (RFC 9110 12.5.4, RFC 4647 3.4).

The middleware `request_language` reads the header, and `graphql.websocket` reads the language of a web socket.
"""

import contextvars
import functools

from renewals.domain.model import Language

DEFAULT = Language.EN
"""The language if neither Chinese nor English is preferred (rule 27)."""
HEADER_CHARACTERS_MAX = 1_000
"""The maximum length of a header that is read. A longer header is treated as if it named no known language."""

_requested: contextvars.ContextVar[Language | None] = contextvars.ContextVar("language", default=None)


def current() -> Language:
    """Return the language that the request of this task names, or DEFAULT if it names none or there is no request."""
    return _requested.get() or DEFAULT


def requested() -> Language | None:
    """Return the known language that the request of this task names, or None if there is none or no request."""
    return _requested.get()


def set_current(language: Language | None) -> None:
    """Set the language that the current request names, or None, for this task and each task that it starts."""
    _requested.set(language)


def negotiate(header: str) -> Language:
    """Return the known language that the header prefers, or DEFAULT if it prefers none.

    Regions and scripts are ignored: zh-TW is Chinese. If qualities are equal, the first language is preferred. `*`
    means each known language that the header does not name, English first. A malformed range is ignored.
    """
    return find_preferred(header) or DEFAULT


def find_preferred(header: str) -> Language | None:
    """Return the preferred language as `negotiate` does, or None if the header names none of the known languages."""
    return _negotiate(header) if 0 < len(header) <= HEADER_CHARACTERS_MAX else None


@functools.lru_cache(maxsize=500)
def _negotiate(header: str) -> Language | None:
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        tag, _, parameters = part.partition(";")
        name = tag.strip().partition("-")[0]
        quality = _quality(parameters)
        if quality is not None:
            qualities[name] = max(quality, qualities.get(name, 0.0))
    others = qualities.get("*", 0.0)
    if qualities.keys().isdisjoint(Language):
        return None
    known = {Language(name): quality for name, quality in qualities.items() if name in tuple(Language)}
    if others:
        known |= {language: others for language in (DEFAULT, *Language) if language not in known}
    # max() returns the first of equal maxima, and a dictionary keeps the order of the header.
    best = max(known, key=known.__getitem__, default=DEFAULT)
    return best if known.get(best) else DEFAULT


def _quality(parameters: str) -> float | None:
    """Return the weight of a range, 0 to 1, or None if the weight is malformed."""
    name, _, value = parameters.partition("=")
    if not name.strip():
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return None
    return quality if name.strip() == "q" and 0 <= quality <= 1 else None
