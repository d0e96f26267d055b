"""The router every page module uses: HTML, out of the API's description, no change without a token."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from lms.web.csrf import TokenRequired


def page_router(prefix: str = "") -> APIRouter:
    """Return a router for pages; each of its POST routes asks for the CSRF token by itself."""
    return APIRouter(
        prefix=prefix,
        dependencies=[TokenRequired],
        include_in_schema=False,
        default_response_class=HTMLResponse,
    )
