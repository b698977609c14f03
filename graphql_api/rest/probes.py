"""The probe endpoints of the API, on its own port."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from graphql_api.middleware import request_log
from graphql_api.server import graceful_shutdown
from renewals import config
from renewals.domain.clock import Clock
from renewals.health import probes

NEEDED = ("database", "migrations", "writes")
"""The checks that `/readyz` needs. Without Redis or a worker, customers can still read and renew."""


class ProbeRoutes(probes.Probes):
    """The probe routes of a process that serves the API."""

    def __init__(self, settings: config.Settings, clock: Clock) -> None:
        super().__init__(settings, clock, needed=NEEDED, has_metrics=settings.metrics)

    def routes(self) -> list[Route]:
        """Return the routes of the probes."""
        return [Route(path, self._respond, methods=["GET"]) for path in self.paths]

    async def _respond(self, request: Request) -> Response:
        if request.url.path == probes.READYZ and graceful_shutdown.is_draining():
            return JSONResponse({"status": "draining"}, 503, {"Cache-Control": "no-store"})
        if request.url.path == probes.METRICS:
            request_log.flush()
        status, media_type, body = await self.answer(request.url.path)
        return Response(body, status, {"Cache-Control": "no-store"}, media_type)
