"""How one peer is met: the terms of its link, to be set, and the meetings with it."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.nodes.links import link_to, set_terms
from lms.nodes.pace import LEAST_BUDGET, Quiet, Terms, clock
from lms.nodes.pages import PATH as SYNC_PATH
from lms.nodes.queries import PeerLink, meetings_with, overview, peer_links
from lms.nodes.wording import ENDINGS
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.errors import NotFoundError
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import mark

PATH = f"{SYNC_PATH}/links"
MEGABYTE: Final = 1_000_000

router = page_router(PATH)
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]
Text = Annotated[str, Form()]

_TWO_TIMES = mark("Give both times, and not the same one twice; leave both empty for no quiet hours.")
_NO_AMOUNT = mark("Give a number of megabytes, at least 0.01; leave it empty for as many as it takes.")


@router.get("/{peer}")
def show_link(
    request: Request, _: Manager, peer: str, page: Annotated[int, Query(ge=1, le=100)] = 1
) -> Response:
    """Show how a peer is met, and what became of the meetings with it."""
    return _page(request, peer, page=page)


@router.post("/{peer}")
def post_terms(
    request: Request,
    _: Manager,
    *,
    peer: str,
    how: Annotated[Literal["itself", "hand"], Form()],
    quiet_from: Text = "",
    quiet_to: Text = "",
    megabytes: Text = "",
) -> Response:
    """Set other terms; what they allow begins at once."""
    site = site_of(request)
    _find(request, peer)
    errors = {}
    begin, to = _minutes(quiet_from), _minutes(quiet_to)
    is_quiet = bool(quiet_from.strip() or quiet_to.strip())
    if is_quiet and (begin is None or to is None or begin == to):
        errors["quiet_to"] = _TWO_TIMES
    bytes_per_day = _bytes(megabytes)
    if megabytes.strip() and bytes_per_day is None:
        errors["megabytes"] = _NO_AMOUNT
    if errors:
        values = {"how": how, "quiet_from": quiet_from, "quiet_to": quiet_to, "megabytes": megabytes}
        return _page(request, peer, status=422, values=values, errors=errors)
    quiet = None if begin is None or to is None else Quiet(begin, to)
    terms = Terms(by_hand=how == "hand", quiet=quiet, bytes_per_day=bytes_per_day)
    with site.database.write() as session:
        set_terms(link_to(session, peer), terms, now=site.now())
    return RedirectResponse(f"{PATH}/{peer}", status_code=303)


def _page(
    request: Request,
    peer: str,
    *,
    page: int = 1,
    status: int = 200,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    found = _find(request, peer)
    with site_of(request).database.read() as session:
        meetings = meetings_with(session, peer, page=page)
    return render(
        request,
        "nodes/link.html",
        status_code=status,
        link=found,
        meetings=meetings,
        endings=ENDINGS,
        values=values or _as_typed(found.terms),
        errors=errors or {},
    )


def _find(request: Request, peer: str) -> PeerLink:
    site, node = site_of(request), request.app.state.sync
    now = site.now().astimezone()
    with site.database.read() as session:
        known = peer_links(session, node, overview(session, node), now=now)
    found = next((one for one in known if one.peer == peer), None)
    if found is None:
        raise NotFoundError
    return found


def _as_typed(terms: Terms) -> dict[str, Any]:
    quiet, allowed = terms.quiet, terms.bytes_per_day
    return {
        "how": "hand" if terms.by_hand else "itself",
        "quiet_from": clock(quiet.begin) if quiet else "",
        "quiet_to": clock(quiet.to) if quiet else "",
        "megabytes": f"{allowed / MEGABYTE:g}" if allowed is not None else "",
    }


def _minutes(typed: str) -> int | None:
    try:
        at = time.fromisoformat(typed.strip())
    except ValueError:
        return None
    return at.hour * 60 + at.minute


def _bytes(typed: str) -> int | None:
    """Return the bytes of a number of megabytes; ``None`` where it is none, or too little to begin with."""
    plain = typed.strip().replace(",", ".")
    if not re.fullmatch(r"\d{1,7}(\.\d+)?", plain):
        return None
    count = round(float(plain) * MEGABYTE)
    return count if count >= LEAST_BUDGET else None
