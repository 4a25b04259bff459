"""Puts the API together: routes, middleware, and the one reader of the event feed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from orchestrator.api.deps import AppDeps
from orchestrator.api.handlers import home
from orchestrator.api.limiter import RateLimiter
from orchestrator.api.middleware import AddressLimit, Errors, StoreHosts, Surroundings
from orchestrator.api.missing import answer_missing
from orchestrator.api.openapi import document
from orchestrator.api.operation import routes
from orchestrator.api.problems import answer_error
from orchestrator.api.stream import Feed
from orchestrator.api.table import OPERATIONS
from orchestrator.model.errors import NotFound, UrumiError


def create_app(deps: AppDeps) -> Starlette:
    """Return the application. Its lifespan runs the reader of the event feed."""
    limiter = RateLimiter(deps.settings.rate_limit)
    feed = Feed(deps.service.changes, deps.url_of, deps.service.people.is_in)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(feed.run())
            try:
                yield
            finally:
                feed.close()
                reader.cancel()

    missing = answer_missing(deps, [o.path for o in OPERATIONS if o.handler is home])
    hosts = [Middleware(StoreHosts, deps)] if deps.sandbox else []
    app = Starlette(
        routes=routes(OPERATIONS, deps, limiter),
        middleware=[
            Middleware(Surroundings, deps.metrics),
            Middleware(Errors),
            *hosts,
            Middleware(AddressLimit, limiter),
        ],
        exception_handlers={
            UrumiError: answer_error,
            HTTPException: answer_error,
            NotFound: missing,
            404: missing,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.feed = feed
    app.state.openapi = document(OPERATIONS)
    return app
