"""The router every page module uses: HTML, out of the API's description, no change without a token."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_origin

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.requests import Request

from lms.web.csrf import TokenRequired
from lms.web.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Guard:
    """A dependency that says who asks, or refuses: ``viewer: Annotated[Viewer, Depends(Guard(...))]``."""

    admit: Callable[[Request], Viewer]

    def __call__(self, request: Request) -> Viewer:
        """Return who asks."""
        return self.admit(request)


class PageRoute(APIRoute):
    """A route whose guards stand in the page's own thread.

    They ask the database, so they need a thread; FastAPI would take one for each and another for the page,
    which costs a small page a tenth of all it costs.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _guarded(endpoint), **options)


def page_router(prefix: str = "") -> APIRouter:
    """Return a router for pages; each of its POST routes asks for the CSRF token by itself."""
    return APIRouter(
        prefix=prefix,
        dependencies=[TokenRequired],
        include_in_schema=False,
        default_response_class=HTMLResponse,
        route_class=PageRoute,
    )


def _guarded(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(endpoint, eval_str=True)
    guards = {
        name: guard
        for name, one in signature.parameters.items()
        if (guard := _guard_of(one.annotation)) is not None
    }
    if not guards or inspect.iscoroutinefunction(endpoint):
        return endpoint

    @wraps(endpoint)
    def page(request: Request, **values: Any) -> Any:
        viewers = {name: guard(request) for name, guard in guards.items()}
        return endpoint(request=request, **viewers, **values)

    page.__signature__ = signature.replace(  # type: ignore[attr-defined]  # what FastAPI reads
        parameters=[one for name, one in signature.parameters.items() if name not in guards]
    )
    return page


def _guard_of(annotation: Any) -> Guard | None:
    if get_origin(annotation) is not Annotated:
        return None
    found = (one.dependency for one in get_args(annotation)[1:] if isinstance(one, Depends))
    return next((one for one in found if isinstance(one, Guard)), None)
