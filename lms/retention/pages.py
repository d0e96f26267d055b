"""The page on which it is decided for how long kinds of records are kept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import Depends, Form, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse, Response

from lms.people.policy import Right
from lms.people.viewer import requires
from lms.retention.actions import DecidedElsewhereError, decide, is_period
from lms.retention.kinds import Kind
from lms.retention.queries import decides, periods
from lms.web.errors import Trouble
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import mark
from sync.node import Node

PATH = "/retention"

router = page_router(PATH)

Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_NODES))]

_NO_PERIOD = mark("Give a number of days from 7 to 36500, or 0 to keep them for good.")

TROUBLES: Mapping[type[Exception], Trouble] = {
    DecidedElsewhereError: Trouble(
        status=409,
        code="periods-decided-elsewhere",
        title=mark("This node does not decide how long records are kept"),
        remedy=mark("Ask the administrator of the centre. What is decided there comes here by itself."),
    ),
}


class Decisions(BaseModel):
    """The form: of each kind, by its name, the days."""

    model_config = ConfigDict(extra="allow")

    def days_of(self, kind: Kind) -> str | None:
        """Return what was typed for a kind."""
        typed = (self.model_extra or {}).get(kind.name)
        return typed.strip() if isinstance(typed, str) else None


@router.get("")
def show_periods(request: Request, _: Manager) -> Response:
    """Show what is kept for how long."""
    return _page(request)


@router.post("")
def post_periods(request: Request, _: Manager, typed: Annotated[Decisions, Form()]) -> Response:
    """Decide, where another number of days was given, for how long a kind is kept, here and on all nodes below."""
    site, values, errors = site_of(request), dict[str, str](), dict[str, str]()
    with site.database.read() as session:
        present = periods(session, launch_log_days=request.app.state.launch_log_days)
    wanted = dict[str, int]()
    for one in present:
        days = typed.days_of(one.kind)
        values[one.kind.name] = str(one.days) if days is None else days
        if days is None or days == str(one.days):
            continue
        if days.isdecimal() and is_period(int(days)):
            wanted[one.kind.name] = int(days)
        else:
            errors[one.kind.name] = _NO_PERIOD
    if errors:
        return _page(request, status=422, values=values, errors=errors)
    with site.database.write() as session:
        for kind, number in wanted.items():
            decide(session, _node(request), kind, days=number, now=site.now())
    return RedirectResponse(PATH, status_code=303)


def _page(
    request: Request,
    *,
    status: int = 200,
    values: Mapping[str, str] = MappingProxyType({}),
    errors: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    with site_of(request).database.read() as session:
        found = periods(session, launch_log_days=request.app.state.launch_log_days)
        may = decides(session, _node(request))
    return render(
        request,
        "retention/periods.html",
        status_code=status,
        periods=found,
        may=may,
        values=values,
        errors=errors,
    )


def _node(request: Request) -> Node:
    node: Node = request.app.state.sync
    return node
