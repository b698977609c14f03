"""The search text of an instance, folded so that an index of trigrams can serve a search for a part of it.

PostgreSQL builds trigrams of letters and digits, and whether a Chinese character is a letter depends on the locale of
the database. `fold` therefore writes every character that is not ASCII as ASCII letters. A folded text contains a
folded term if and only if the text contains the term, ignoring case, so no row needs a second check.
"""

import orjson

SEPARATOR = "\x1f"
"""The separator of the parts of a text. No id, name or value contains it, so a search for it finds nothing."""

_BASIC, _SUPPLEMENTARY = "U", "V"
"""The first letters of codes: for characters of the Basic Multilingual Plane, and for all other characters."""
_DIGITS = str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP")
"""The letters for hexadecimal digits. None of them begins a code, so a term matches whole codes only."""


def build_search_text(instance_id: str, name: str, configuration: str) -> str:
    """Return the folded text of an instance: its id, its name and the values of its configuration, which is JSON."""
    values = [item["value"] for item in orjson.loads(configuration)]
    return fold(SEPARATOR.join((instance_id, name, *values)))


def fold(text: str) -> str:
    """Return an ASCII text that is equal for texts that differ only in case.

    ASCII letters, and other characters with an ASCII letter as their upper or lower case, become lower-case letters.
    Each other character that is not ASCII becomes a code of capital letters: U and 4 letters, or V and 6 letters.
    """
    if text.isascii():
        return text.lower()
    return "".join(map(_CODES.__getitem__, text))


def _code(character: str) -> str:
    folded = _fold_case(character)
    if folded.isascii():
        return folded
    digits = ord(folded)
    code = f"{_BASIC}{digits:04x}" if digits <= 0xFFFF else f"{_SUPPLEMENTARY}{digits:06x}"
    return code[0] + code[1:].translate(_DIGITS)


def _fold_case(character: str) -> str:
    """Return the same character for the upper and the lower case of a character.

    An upper or lower case that consists of several characters is ignored.
    """
    upper = character.upper()
    if len(upper) != 1:
        upper = character
    lower = upper.lower()
    return lower if len(lower) == 1 else upper


class _Codes(dict[str, str]):
    """A cache of the codes of at most _CODES_MAX characters."""

    def __missing__(self, character: str) -> str:
        code = _code(character)
        if len(self) < _CODES_MAX:
            self[character] = code
        return code


_CODES = _Codes()
_CODES_MAX = 20_000
"""The maximum number of codes that are kept, so that no text can fill the memory; Chinese needs about 10,000."""
