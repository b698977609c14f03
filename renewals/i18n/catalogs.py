"""The catalogs of translations: one gettext file (.po) per language, with the English texts as ids.

A file is read and compiled in memory when its language is first needed, so no compiled file can be out of date.
`python -m scripts.catalogs` keeps the files complete.
"""

import functools
import gettext
import io
from pathlib import Path

from babel.messages import mofile, pofile

from renewals.domain.messages import CountedMessage, Message, ProvidedText
from renewals.domain.model import Language
from renewals.i18n import accept_language

FOLDER = Path(__file__).parent / "locales"
DOMAIN = "renewals"


def path(language: Language) -> Path:
    """Return the path of the file with a language's catalog."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def translate(message: Message, language: Language) -> str:
    """Return a message in the given language. A text that the catalog lacks stays English."""
    if language is Language.EN:
        return str(message)
    return message.render(_load(language).text)


def template(message: Message, language: Language) -> str:
    """Return a message's text in the given language with unfilled placeholders, which the caller fills many times."""
    return message.english_text() if language is Language.EN else _load(language).text(message)


def translate_for_request(message: Message) -> str:
    """Return a message in the language of the request that this task serves."""
    return translate(message, accept_language.current())


def load() -> None:
    """Read all catalogs, so that no request waits for them."""
    for language in Language:
        if language is not Language.EN:
            _load(language)


class _Catalog:
    """The translations of a language: the English text of a message selects its translation."""

    def __init__(self, language: Language, translations: gettext.GNUTranslations) -> None:
        self._language = language
        self._translations = translations

    def text(self, message: Message) -> str:
        """Return the translated text of a message, without filling its placeholders."""
        if isinstance(message, ProvidedText):
            return message.chinese_text() if self._language is Language.ZH else message.english_text()
        if isinstance(message, CountedMessage):
            return self._translations.ngettext(message.text, message.plural_text, message.count)
        return self._translations.gettext(message.text)


@functools.cache
def _load(language: Language) -> _Catalog:
    with path(language).open("rb") as file:
        catalog = pofile.read_po(file, locale=language.value, domain=DOMAIN)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalog)
    compiled.seek(0)
    return _Catalog(language, gettext.GNUTranslations(compiled))
