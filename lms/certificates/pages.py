"""How this hub is reached: for whoever sets it up, with what each way gives away, and the root certificate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from lms.certificates.authority import Authority, NoRootError, open_authority
from lms.certificates.door import root_file
from lms.certificates.machine import own_addresses
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.settings import is_address
from lms.web.content_ports import ContentPorts
from lms.web.pages import render
from lms.web.reach import ROOT_NAME, Reach, in_url
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/reached")
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """What the page tells of; ``lms.app`` puts it beside the site.

    Args:
        data: the folder with the root, if there is one.
        join_port: where the root is handed out; ``None`` without HTTPS of our own.
    """

    reach: Reach
    ports: ContentPorts
    data: Path
    join_port: int | None

    def addresses(self) -> list[str]:
        """Return the addresses that browsers may open, the one that is set first."""
        return [self.reach.public_url, *(self._at(host, self.reach.port) for host in self._hosts())]

    def doors(self) -> list[str]:
        """Return where the root is handed out."""
        if self.join_port is None:
            return []
        hosts = self._hosts() or [urlsplit(self.reach.public_url).hostname or "localhost"]
        return [f"http://{in_url(host)}:{self.join_port}/" for host in hosts]

    def root(self) -> Authority | None:
        """Return the root, if the node has one."""
        try:
            return open_authority(self.data)
        except NoRootError:
            return None

    def _hosts(self) -> list[str]:
        if not self.reach.by_address:
            return []
        return [
            *own_addresses(),
            *sorted(self.reach.own_names, key=lambda name: (not name.endswith(".local"), name)),
        ]

    def _at(self, host: str, port: int) -> str:
        return f"{self.reach.scheme}://{in_url(host)}:{port}"


@router.get("")
def show_reached(request: Request, _: Manager) -> Response:
    """Show where browsers find this node and its courses, and what each way gives away."""
    site, told = site_of(request), reached_of(request)
    reach = told.reach
    root = told.root()
    by_port = site.port_of is not None
    content, pages = urlsplit(site.content_url).hostname, urlsplit(site.public_url).hostname
    return render(
        request,
        "certificates/reached.html",
        addresses=told.addresses(),
        by_address=reach.by_address,
        beyond=reach.by_address or (pages or "") != "localhost",
        is_https=site.is_https,
        by_port=by_port or reach.by_address,
        same_host=reach.by_address and (not by_port or content == pages),
        ports=len(reach.content_ports),
        first=reach.content_ports.start,
        last=reach.content_ports.stop - 1,
        used=told.ports.used(),
        content=f"{reach.scheme}://*.{urlsplit(reach.content_url).netloc}"
        if not is_address(content or "")
        else reach.content_url,
        root=root,
        until=root.root.not_valid_after_utc if root else None,
        doors=told.doors(),
        file=ROOT_NAME,
    )


@router.get(f"/{ROOT_NAME}")
def download_root(request: Request, _: Manager) -> Response:
    """Hand out the root certificate."""
    root = reached_of(request).root()
    if root is None:
        raise NoRootError
    return root_file(root)


def reached_of(request: Request) -> Reached:
    """Return what ``lms.app`` put beside the site."""
    told: Reached = request.app.state.reached
    return told
