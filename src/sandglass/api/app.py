"""Builds the application: routers, errors, security, what is opened at start and closed at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from sandglass import __version__
from sandglass.api import (
    account,
    additions,
    annotations,
    audit,
    billing,
    catalogue,
    console,
    datasets,
    evaluations,
    exports,
    imports,
    keys,
    labels,
    metrics,
    problems,
    runs,
    samples,
    servicedetails,
    services,
    sessions,
    sharing,
    system,
    tasks,
    uploads,
    users,
    versions,
)
from sandglass.api.feed import RunFeed
from sandglass.api.language import LanguageMiddleware
from sandglass.api.permissions import require_declarations
from sandglass.api.security import BodyLimit, SameOrigin
from sandglass.api.trail import AuditTrail
from sandglass.core.settings import Settings
from sandglass.serving.answer import PredictRequest
from sandglass.serving.gateway import Gateway
from sandglass.studio.imports import NewImport
from sandglass.studio.studio import Studio, open_studio

TAGS = [
    {"name": "datasets", "description": "Pictures with annotations: browse, labels, versions."},
    {
        "name": "annotations",
        "description": "What is said about one picture: edits, history, suggestions, pre-label runs.",
    },
    {"name": "imports", "description": "Data comes in, after a check and all or nothing."},
    {"name": "exports", "description": "Data goes out, in any format that can hold it."},
    {"name": "tasks", "description": "Learning jobs and their versions."},
    {"name": "runs", "description": "Training and evaluation: state, live events, curves, logs."},
    {"name": "evaluations", "description": "How good a model is at every threshold, and what it gets wrong."},
    {"name": "services", "description": "Published models that answer requests."},
    {"name": "catalogue", "description": "Scenarios, formats and compute specs to choose from."},
    {"name": "account", "description": "Signing in, and what belongs to the person who did."},
    {"name": "access", "description": "Keys of services, and with whom things are shared."},
    {"name": "billing", "description": "What computing costs: balances, ledgers, quotes."},
    {"name": "admin", "description": "Accounts, and what was done by whom."},
    {"name": "system", "description": "Health and activity."},
]
PARTS = (
    system,
    sessions,
    account,
    catalogue,
    datasets,
    additions,
    samples,
    annotations,
    labels,
    versions,
    exports,
    uploads,
    imports,
    tasks,
    runs,
    evaluations,
    services,
    servicedetails,
    metrics,
    keys,
    sharing,
    billing,
    users,
    audit,
)
"""Rooms of the interface, in the order of its description."""


def create_app(settings: Settings, *, studio: Studio | None = None) -> FastAPI:
    """The application over one installation.

    Args:
        settings: where the installation is.
        studio: opened already, and closed by the caller; None = opened at start and closed at the end.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = studio if studio is not None else await run_in_threadpool(open_studio, settings)
        app.state.studio = opened
        app.state.gateway = Gateway(opened.routes, opened.meter, opened.keeper.offer)
        app.state.feed = RunFeed(opened)
        try:
            yield
        finally:
            await app.state.feed.close()
            await app.state.gateway.close()
            if studio is None:
                await run_in_threadpool(opened.close)

    app = FastAPI(
        title="Sandglass",
        version=__version__,
        description="Labelled pictures in, a live recognition service out, within a time limit that you choose.",
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        openapi_tags=TAGS,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    problems.install(app)
    require_declarations(part.router for part in PARTS)
    for part in PARTS:
        app.include_router(part.router)
    console.mount(app)
    app.add_middleware(BodyLimit, streamed=("/predict", "/imports", "/files", "/samples"))
    app.add_middleware(SameOrigin, host=settings.host)
    app.add_middleware(AuditTrail)
    app.add_middleware(LanguageMiddleware)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _openapi(app: FastAPI) -> dict[str, object]:
    """The description of the interface, in which every failure is a problem detail."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for model in (problems.ProblemDetail, annotations.ChangedProblem, PredictRequest, NewImport):
            described = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(described.pop("$defs", {}))
            schemas[model.__name__] = described
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema
