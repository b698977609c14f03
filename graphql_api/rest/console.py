"""The console at /console/: its page with a Content Security Policy, its files, and its configuration for sign-in."""

import html
import mimetypes
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from graphql_api import responses
from renewals import config

FOLDER = Path(__file__).parents[1] / "static/console"
MANIFEST = FOLDER / "persisted-documents.json"
"""The file with the page's documents by hash, which the build writes."""
PREFIX = "/console"
NONCE_PLACE = "__CSP_NONCE__"
"""The placeholder for the nonce in the built page."""
BUILD_COMMAND = "python -m scripts.build_console"

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_REVALIDATED = {"Cache-Control": "no-cache"}
_RELOAD_SECONDS = 3
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Media types by suffix; the table of the operating system may lack some of them."""
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


class Console:
    """The routes of the console."""

    def __init__(self, settings: config.Settings, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._issuer = settings.jwt_issuer if settings.jwt_client_id else None
        self._client_id = settings.jwt_client_id
        self._key = settings.graphiql_key

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the console's files, and of its page at all other paths whose last part has no dot.

        The page's script shows the view that the path names.
        """
        return [
            Route(PREFIX, lambda _: RedirectResponse(f"{PREFIX}/"), methods=["GET"]),
            Route(f"{PREFIX}/config.json", self._respond_config, methods=["GET"]),
            Route(f"{PREFIX}/favicon.svg", self._respond_icon, methods=["GET"]),
            Mount(f"{PREFIX}/assets", _Assets(directory=self._folder / "assets", check_dir=False)),
            Route(f"{PREFIX}/{{path:path}}", self._respond_page, methods=["GET"]),
        ]

    def _respond_config(self, request: Request) -> Response:
        key = self._key if _is_of_this_page(request) else None
        return JSONResponse(
            {"issuer": self._issuer, "clientId": self._client_id, "key": key},
            headers={"Cross-Origin-Resource-Policy": "same-origin"},
        )

    def _respond_icon(self, _: Request) -> Response:
        path = self._folder / "favicon.svg"
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix], headers=_REVALIDATED)

    def _respond_page(self, request: Request) -> Response:
        if "." in request.url.path.rpartition("/")[2]:
            raise HTTPException(404)
        try:
            page = (self._folder / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            headers = {"Refresh": str(_RELOAD_SECONDS), "Retry-After": str(_RELOAD_SECONDS)}
            return HTMLResponse(_missing_page(self._folder), status_code=503, headers=headers)
        nonce = secrets.token_urlsafe(16)
        return HTMLResponse(
            page.replace(NONCE_PLACE, nonce),
            headers={"Content-Security-Policy": self._policy(nonce), **_REVALIDATED},
        )

    def _policy(self, nonce: str) -> str:
        """Return the page's Content Security Policy.

        A script must be a file of this server. A style may also be an element with this response's nonce: antd writes
        its styles at run time, and a file with them would add 110 kB to the first page.
        """
        issuer = f" {_origin(self._issuer)}" if self._issuer else ""
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:;"
            f" connect-src 'self'{issuer}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


class _Assets(StaticFiles):
    """Files with a hash in their name, compressed by the build."""

    async def check_config(self) -> None:
        """Accept a folder that does not exist yet: the build may end after the start of the server."""

    def file_response(
        self,
        full_path: os.PathLike[str] | str,
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, in the best encoding that the client accepts and the build has written."""
        path = Path(full_path)
        headers = {**_IMMUTABLE, "Vary": "Accept-Encoding"}
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1")
        qualities = responses.parse_qualities(accepted)
        media_type = _MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        for encoding, suffix in _ENCODINGS:
            compressed = path.with_name(path.name + suffix)
            if qualities.get(encoding, 0) > 0 and compressed.is_file():
                headers["Content-Encoding"] = encoding
                return FileResponse(compressed, status_code, headers, media_type)
        return FileResponse(path, status_code, headers, media_type)


def _is_of_this_page(request: Request) -> bool:
    """Return whether a request may come from this server's page.

    Such a request has no Origin, and either no Sec-Fetch-Site or the value same-origin. Without this check, any page
    could read the key if CORS allows all origins.
    """
    return (
        "origin" not in request.headers
        and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    )


def _origin(url: str) -> str:
    scheme, host, *_ = urlsplit(url)
    return f"{scheme}://{host}"


def _missing_page(folder: Path) -> str:
    place = html.escape(str(folder))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Renewals</title>'
        "<h1>The console is not built</h1>"
        f"<p>Its files belong in <code>{place}</code>. <code>make run</code> builds them while the servers start,"
        " and this page shows the console as soon as they are built. To build them by hand, run in the repository:</p>"
        f"<pre>{BUILD_COMMAND}</pre>"
        "<p>The build requires access to the npm registry. The API works without the console.</p>"
        '<h1 lang="zh">控制台尚未构建</h1>'
        '<p lang="zh">执行 <code>make run</code> 时会自动构建，完成后本页自动刷新；也可在代码仓库中执行上面的命令。'
        "构建需要访问 npm 源；未构建时不影响 API。</p></html>"
    )
