"""The sync page: how this node's records stand, whom it is paired with, and the forms to pair and to sync.

It stands at ``/sync-status``; below ``/sync`` other nodes talk, not people. Beneath it each other node has a page,
where trust in it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.carrying.lacks import lack_told_by
from lms.nodes.actions import NobodyPairedError, PeerNotFoundError, ask_to_sync, invite, join, revoke
from lms.nodes.admission import admit_again
from lms.nodes.meter import cancel_meetings
from lms.nodes.queries import chip, last_meetings, oldest_waiting, overview, peer_links, under_way
from lms.nodes.roots import NoRootFoundError
from lms.nodes.tables import Ending
from lms.nodes.withdrawn import known_through_others, trust_in
from lms.nodes.wording import ENDINGS, KINDS, OTHER_REASON, REASONS, ROLES
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.errors import Trouble
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import mark
from sync.errors import PairingError, RenewalError, RevocationError, SyncError
from sync.node import Node, names_of
from sync.quarantine import retry_waiting

PATH = "/sync-status"
SHOWN_MEETINGS = 10

router = page_router(PATH)
Observer = Annotated[Viewer, Depends(requires(Right.SEE_SYNC))]
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]

_FAILED = frozenset({Ending.INTERRUPTED, Ending.REFUSED})
_CODE_WRONG = mark("The code does not fit, is too old or was used. Check it, or ask for a new one.")
_NO_ROOT = mark(
    "The certificate of that node comes from a root that is not known here, and could not be fetched at its door. "
    "Its administrator has the file; `lms node join` takes it with --root."
)
_NO_MOMENT = mark("Give the day and the time.")
_NO_ANSWER = mark("No node answered there. Check the address and the link; the code is still good.")

TROUBLES: Mapping[type[Exception], Trouble] = {
    NobodyPairedError: Trouble(
        status=409,
        code="nobody-paired",
        title=mark("There is no node to sync with yet"),
        remedy=mark("Join a network on the sync page first; the other side gives you an address and a code."),
    ),
    PeerNotFoundError: Trouble(
        status=404,
        code="node-not-found",
        title=mark("No such node is known here"),
        remedy=mark("The sync page lists those that are."),
    ),
    RenewalError: Trouble(
        status=409,
        code="node-not-renewable",
        title=mark("This node cannot admit that one again"),
        remedy=mark("The node that admitted it can, or the centre, as long as its key was not withdrawn."),
    ),
    RevocationError: Trouble(
        status=409,
        code="node-not-withdrawn",
        title=mark("This node does not decide whom the network trusts"),
        remedy=mark(
            "Ask the administrator of the centre. The key on which the network rests cannot be withdrawn."
        ),
    ),
}


@router.get("")
def show_sync(request: Request, viewer: Observer) -> Response:
    """Show how this node's records stand."""
    return _page(request, viewer)


@router.post("/now")
def post_sync(
    request: Request, viewer: Manager, *, all_the_same: Annotated[bool, Form()] = False
) -> Response:
    """Have the worker meet the others; ask once more where the terms of a link forbid it now."""
    site = site_of(request)
    with site.database.write() as session:
        kept_back = ask_to_sync(session, now=site.now().astimezone(), all_the_same=all_the_same)
    if kept_back:
        return _page(request, viewer, status=409, kept_back=kept_back)
    return RedirectResponse(PATH, status_code=303)


@router.post("/cancel")
def post_cancellation(request: Request, _: Manager) -> Response:
    """End what is under way before its next request."""
    with site_of(request).database.write() as session:
        cancel_meetings(session)
    return RedirectResponse(PATH, status_code=303)


@router.post("/join")
def post_join(
    request: Request, viewer: Manager, address: Annotated[str, Form()], code: Annotated[str, Form()]
) -> Response:
    """Pair with the node at an address and sync with it."""
    site = site_of(request)
    values = {"address": address, "code": code}
    try:
        join(_node(request), _full(address), code)
    except PairingError:
        return _page(request, viewer, status=422, values=values, errors={"code": _CODE_WRONG})
    except NoRootFoundError:
        return _page(request, viewer, status=422, values=values, errors={"address": _NO_ROOT})
    except SyncError:
        return _page(request, viewer, status=422, values=values, errors={"address": _NO_ANSWER})
    with site.database.write() as session:
        ask_to_sync(session, now=site.now().astimezone())
    return RedirectResponse(PATH, status_code=303)


@router.post("/invite")
def post_invitation(
    request: Request, viewer: Manager, role: Annotated[Literal["laptop", "hub"], Form()]
) -> Response:
    """Make a code and show it, once: it is kept nowhere, and has no place in an address."""
    with site_of(request).database.write() as session:
        code = invite(session, _node(request), role=role)
    return _page(request, viewer, code=code)


@router.get("/nodes/{other}")
def show_node(request: Request, _: Manager, other: str) -> Response:
    """Show how far another node is trusted, and ask which of its records shall be."""
    return _node_page(request, other)


@router.post("/nodes/{other}")
def post_trust(
    request: Request,
    _: Manager,
    *,
    other: str,
    trust: Annotated[Literal["held", "before"], Form()],
    before: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Withdraw a node's key, or say anew which of its records are trusted."""
    site = site_of(request)
    moment = _moment(before) if trust == "before" else None
    if trust == "before" and moment is None:
        values = {"trust": trust, "before": before, "reason": reason}
        return _node_page(request, other, status=422, values=values, errors={"before": _NO_MOMENT})
    with site.database.write() as session:
        trust_in(session, _node(request), other)
        revoke(session, _node(request), other, reason=reason, trusted=moment or "held")
    retry_waiting(_node(request))
    return RedirectResponse(f"{PATH}/nodes/{other}", status_code=303)


@router.post("/nodes/{other}/admit")
def post_admission(request: Request, _: Manager, other: str) -> Response:
    """Admit a node again whose certificate has ended, or ends soon."""
    with site_of(request).database.write() as session:
        admit_again(session, _node(request), other)
    return RedirectResponse(f"{PATH}/nodes/{other}", status_code=303)


# ---------------------------------------------------------------- parts


def _node_page(request: Request, other: str, *, status: int = 200, **values: Any) -> Response:
    with site_of(request).database.read() as session:
        found, lack = trust_in(session, _node(request), other), lack_told_by(session, other)
    shown = {
        "other": found,
        "lack": lack,
        "kind_names": KINDS,
        "role_names": ROLES,
        "values": {},
        "errors": {},
    }
    return render(request, "nodes/node.html", status_code=status, **{**shown, **values})


def _moment(typed: str) -> datetime | None:
    """Return the moment that a browser's field for one says, in this node's own zone."""
    try:
        return datetime.fromisoformat(typed).astimezone()
    except (ValueError, OverflowError):
        return None


def _page(request: Request, viewer: Viewer, *, status: int = 200, **values: Any) -> Response:
    site = site_of(request)
    node = _node(request)
    now = site.now().astimezone()
    with site.database.read() as session:
        found = overview(session, node)
        line = chip(session, node)
        oldest = oldest_waiting(session, node)
        links = peer_links(session, node, found, now=now)
        meeting = under_way(session, now=now)
        meetings = last_meetings(session, limit=SHOWN_MEETINGS)
        names = names_of(session, [one.peer for one in (*meeting, *meetings)])
        manages = viewer.may(Right.MANAGE_NODES)
        others = known_through_others(session, node) if manages else []
    kept = [one for one in found.refused if one.verdict != "waiting"]
    shown = {
        "overview": found,
        "line": line,
        "days": (now - line.since).days if line.since else None,
        "links": {one.peer: one for one in links},
        "under_way": meeting,
        "asked": [one for one in links if one.asked],
        "meetings": meetings,
        "names": names,
        "failed": next((one for one in meetings[:1] if one.by_hand and one.ending in _FAILED), None),
        "oldest": oldest,
        "endings": ENDINGS,
        "refused": kept,
        "arriving": len(found.refused) - len(kept),
        "kind_names": KINDS,
        "role_names": ROLES,
        "reasons": REASONS,
        "other_reason": OTHER_REASON,
        "manages": manages,
        "others": others,
        "kept_back": [],
        "code": None,
        "values": {},
        "errors": {},
    }
    return render(request, "nodes/sync.html", status_code=status, **{**shown, **values})


def _full(address: str) -> str:
    """Return an address as people type it with its scheme."""
    trimmed = address.strip().rstrip("/")
    return trimmed if "://" in trimmed else f"http://{trimmed}"


def _node(request: Request) -> Node:
    node: Node = request.app.state.sync
    return node
