"""The plain door of a node that serves HTTPS: hands out the root certificate, and shows the way on.

A browser that does not trust the root yet cannot read the node's own pages. What is here is public: no cookie, no
form, no name of a person.
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.certificates.authority import Authority, open_authority
from lms.web.assets import BUILD, MOUNT, BuiltFiles
from lms.web.headers import Headers, page_headers
from lms.web.locale import language_wished
from lms.web.pages import fragment
from lms.web.reach import ROOT_NAME, Reach, in_url
from lms.web.site import Site


def build_door(site: Site, reach: Reach, data: Path) -> ASGIApp:
    """Return the application of the plain port of the node in a data folder."""

    def show(request: Request) -> Response:
        host = reach.own_host(request.scope)
        pages = reach.public_url if host is None else f"https://{in_url(host)}:{reach.port}"
        spoken = language_wished(request.headers.get("accept-language", ""))
        page = fragment(
            spoken,
            "certificates/door.html",
            site=site,
            pages=pages,
            file=ROOT_NAME,
            fingerprint=open_authority(data).fingerprint,
        )
        return HTMLResponse(page)

    def hand_out(_request: Request) -> Response:
        return root_file(open_authority(data))

    routes = [
        Route("/", show),
        Route(f"/{ROOT_NAME}", hand_out),
        Mount(MOUNT, BuiltFiles(directory=BUILD, check_dir=False)),
    ]
    headers = page_headers(public_url=reach.public_url, content_url=reach.content_url, pins_https=False)
    return Headers(_OwnHost(Starlette(routes=routes), reach), headers=lambda _scope: headers)


def root_file(authority: Authority) -> Response:
    """Return the root as a file that systems offer to take in."""
    disposition = {"Content-Disposition": f'attachment; filename="{ROOT_NAME}"'}
    return Response(authority.root_der, media_type="application/x-x509-ca-cert", headers=disposition)


class _OwnHost:
    """Middleware: under a name of this node only."""

    def __init__(self, app: ASGIApp, reach: Reach) -> None:
        self.app = app
        self.reach = reach

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http" and not self.reach.is_pages(scope):
            app = PlainTextResponse("This node is not known by that name.", 421)
        await app(scope, receive, send)
