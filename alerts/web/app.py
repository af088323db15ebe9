"""The first web process: /healthz (200 when all is well, else 503, with the problems), /metrics (Prometheus), /unsubscribe.

It only calls the service; when the store does not answer, /metrics is 503 and says why. A mail's link ends a channel by
POST alone, as RFC 8058 wants it: programs that follow every link of a mail end nothing; a person gets a button.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from alerts.errors import AlertsError, NotFoundError
from alerts.settings import Settings

_BUTTON = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tocsin</title>
<form method="post"><p>No more of these mails?</p><button>End them</button></form>"""


class Health(Protocol):
    """What the web process needs of the service."""

    def unsubscribe(self, token: str) -> object:
        """Switch off the channel that a mail's link ends. Raises: NotFoundError, StateError."""

    def health(self) -> Mapping[str, Any]:
        """`ok` and what speaks against it; never raises."""

    def metrics(self) -> Iterable[Metric]:
        """Prometheus metrics, read now. Raises: StateError."""


class _Collector:
    """Asks the service at each scrape: no multiprocess directory, no numbers that go stale."""

    def __init__(self, service: Health) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """The service's metrics."""
        yield from self._service.metrics()

    def describe(self) -> tuple[Metric, ...]:
        """Nothing: or else the registry would collect while it is built."""
        return ()


def build_app(service: Health) -> Starlette:
    """The ASGI app; its pages run in threads, because the service waits for the store.

    Starlette alone: FastAPI adds 5 MB, and the service's memory is spoken for.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(service))

    def healthz(_request: Request) -> Response:
        health = dict(service.health())
        return JSONResponse(health, status_code=200 if health.get("ok") else 503)

    def metrics(_request: Request) -> Response:
        try:
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
        except AlertsError as error:
            return Response(f"# {error}\n", status_code=503, media_type="text/plain")

    def unsubscribe(request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(_BUTTON)
        try:
            service.unsubscribe(request.path_params["token"])
        except NotFoundError as error:
            return PlainTextResponse(f"{error}\n", status_code=404)
        except AlertsError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)
        return PlainTextResponse("No more of these mails will be sent.\n")

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            Route("/unsubscribe/{token}", unsubscribe, methods=["GET", "POST"]),
        ]
    )


def serve(settings: Settings, service: Health) -> None:
    """Serve the pages until SIGTERM; at most five seconds for what is being answered then."""
    uvicorn.run(
        build_app(service),
        host=settings.web.host,
        port=settings.web.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
