"""The person behind a request, as FastAPI dependencies: ``viewer: CurrentPerson``, ``Depends(requires(Right.X))``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from lms.people.policy import Right
from lms.web.errors import NotAllowedError, NotSignedInError
from lms.web.router import Guard
from lms.web.viewer import Viewer
from lms.web.visit import visit_of


class OwnPasswordNeededError(Exception):
    """The person signed in with a password somebody else chose and must choose her own first."""


def signed_in(request: Request) -> Viewer:
    """Return who asks, even while her password is a temporary one.

    Raises:
        NotSignedInError: nobody is signed in.
    """
    viewer = visit_of(request).viewer
    if viewer is None:
        raise NotSignedInError
    return viewer


def current_person(request: Request) -> Viewer:
    """Return who asks.

    Raises:
        NotSignedInError: nobody is signed in.
        OwnPasswordNeededError: she has to choose a password first.
    """
    viewer = signed_in(request)
    if viewer.password_temporary:
        raise OwnPasswordNeededError
    return viewer


def requires(right: Right) -> Guard:
    """Return a dependency that gives the viewer, or refuses one without this right."""

    def allowed(request: Request) -> Viewer:
        viewer = current_person(request)
        if not viewer.may(right):
            raise NotAllowedError(right)
        return viewer

    return Guard(allowed)


SignedIn = Annotated[Viewer, Depends(Guard(signed_in))]
CurrentPerson = Annotated[Viewer, Depends(Guard(current_person))]
