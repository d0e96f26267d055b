"""Forwarding for administrators: the targets, how far each is, what it refused, and the forms to change it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.forwarding import actions
from lms.forwarding.actions import NewTarget
from lms.forwarding.problems import OTHER_SENTENCE, SENTENCES
from lms.forwarding.queries import dead_letters_page, get_target, standing_of, standings
from lms.forwarding.tables import Target
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import FieldError
from xapi_store.model.version import Version

PATH = "/forwarding"

router = page_router(PATH)
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_KEYS))]
Text = Annotated[str, Form()]
_NARROWING = {"verbs", "activity", "agent", "since", "made_here"}
_VERSIONS = [(version.value, version.value) for version in Version]
MOST_NUMBER = 2**31 - 1  # of a target; more PostgreSQL would not compare


@router.get("")
def show_targets(request: Request, _: Manager) -> Response:
    """Show all targets and how they stand."""
    with site_of(request).database.read() as session:
        found = standings(session)
    return render(request, "forwarding/list.html", standings=found, **_words())


@router.get("/add")
def show_add(request: Request, _: Manager) -> Response:
    """Show the form for a new target."""
    return _add_page(request, {"version": Version.V1}, {})


@router.post("/add")
def post_add(
    request: Request,
    _: Manager,
    *,
    name: Text = "",
    endpoint: Text = "",
    key: Text = "",
    secret: Text = "",
    version: Text = Version.V1,
    verbs: Text = "",
    activity: Text = "",
    agent: Text = "",
    since: Text = "",
    made_here: Text = "",
    unprotected: Text = "",
) -> Response:
    """Add a target."""
    site = site_of(request)
    wanted = NewTarget(
        name=name,
        endpoint=endpoint,
        key=key,
        version=version,
        verbs=verbs.split(),
        activity=activity,
        agent=agent,
        since=since,
        made_here=bool(made_here),
        unprotected_allowed=bool(unprotected),
    )
    try:
        with site.database.write() as session:
            target = actions.add_target(
                session, wanted, secret=secret, node_secret=site.secret, now=site.now()
            )
    except FieldError as error:
        typed = {
            "name": name, "endpoint": endpoint, "key": key, "version": version, "verbs": verbs,
            "activity": activity, "agent": agent, "since": since, "made_here": made_here,
            "unprotected": unprotected,
        }  # fmt: skip
        return _add_page(request, typed, _said(request, error), status=422)
    return _back_to(target.id)


@router.get("/{target_id}")
def show_target(request: Request, _: Manager, target_id: int, page: int = 1) -> Response:
    """Show one target: how far it is, what it wants, what it refused."""
    return _target_page(request, target_id, number=page)


@router.post("/{target_id}/pause")
def post_pause(request: Request, _: Manager, target_id: int) -> Response:
    """Send nothing more for now."""
    with site_of(request).database.write() as session:
        actions.pause(get_target(session, _number(target_id)))
    return _back_to(target_id)


@router.post("/{target_id}/resume")
def post_resume(request: Request, _: Manager, target_id: int) -> Response:
    """Go on, and try at once."""
    with site_of(request).database.write() as session:
        actions.resume(get_target(session, _number(target_id)))
    return _back_to(target_id)


@router.post("/{target_id}/credentials")
def post_credentials(
    request: Request, _: Manager, target_id: int, key: Text = "", secret: Text = ""
) -> Response:
    """Give it another key and secret."""
    site = site_of(request)
    try:
        with site.database.write() as session:
            target = get_target(session, _number(target_id))
            actions.change_credentials(target, key=key, secret=secret, node_secret=site.secret)
    except FieldError as error:
        return _target_page(request, target_id, typed={"key": key}, errors=_said(request, error), status=422)
    return _back_to(target_id)


@router.post("/{target_id}/version")
def post_version(request: Request, _: Manager, target_id: int, version: Text = "") -> Response:
    """Speak another version of xAPI to it."""
    try:
        with site_of(request).database.write() as session:
            actions.change_version(get_target(session, _number(target_id)), version)
    except FieldError as error:
        return _target_page(request, target_id, errors=_said(request, error), status=422)
    return _back_to(target_id)


@router.post("/{target_id}/replay")
def post_replay(
    request: Request, _: Manager, target_id: int, statement: Annotated[UUID | None, Form()] = None
) -> Response:
    """Have refused statements sent once more, all or one."""
    with site_of(request).database.write() as session:
        target = get_target(session, _number(target_id))
        actions.replay(session, target, None if statement is None else [statement])
    return _back_to(target_id)


@router.post("/{target_id}/remove")
def post_remove(request: Request, _: Manager, target_id: int) -> Response:
    """Forget a target."""
    with site_of(request).database.write() as session:
        actions.remove(session, get_target(session, _number(target_id)))
    return RedirectResponse(PATH, status_code=303)


# ---------------------------------------------------------------- parts


def _target_page(
    request: Request,
    target_id: int,
    *,
    number: int = 1,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    with site_of(request).database.read() as session:
        target = get_target(session, _number(target_id))
        standing = standing_of(session, target)
        page = dead_letters_page(session, target, number=min(number, MOST_NUMBER))
    return render(
        request,
        "forwarding/target.html",
        status_code=status,
        standing=standing,
        target=target,
        page=page,
        asked=_all_asked(page.rows),
        typed=typed or {},
        errors=errors or {},
        versions_offered=_VERSIONS,
        **_words(),
    )


def _add_page(
    request: Request, typed: dict[str, str], errors: dict[str, str], *, status: int = 200
) -> Response:
    return render(
        request,
        "forwarding/add.html",
        status_code=status,
        typed=typed,
        errors=errors,
        versions_offered=_VERSIONS,
        narrowed=any(typed.get(name) for name in _NARROWING) or bool(errors.keys() & _NARROWING),
    )


def _all_asked(rows: Any) -> bool:
    return all(letter.replay_asked for letter in rows)


def _words() -> dict[str, Any]:
    return {"sentences": SENTENCES, "other_sentence": OTHER_SENTENCE, "state_of": _state_of}


def _state_of(target: Target) -> str:
    """Return how a target stands: `paused`, `waiting` to be tried again, or `running`."""
    return "waiting" if target.state == "running" and target.retry_at else str(target.state)


def _said(request: Request, error: FieldError) -> dict[str, str]:
    return {error.field: error.said(language_of(request))}


def _number(target_id: int) -> int:
    return min(max(target_id, 0), MOST_NUMBER)


def _back_to(target_id: int) -> Response:
    return RedirectResponse(f"{PATH}/{target_id}", status_code=303)
