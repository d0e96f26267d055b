"""About, Activities and Agents resources (xAPI 1.0.3 Communication §2.4, §2.5, §2.8; xAPI 2.0 §4.1.6)."""

from sqlalchemy.orm import Session
from starlette.responses import Response

from xapi_store.errors import MethodNotAllowedError, RequestError
from xapi_store.http.lrs import Lrs
from xapi_store.http.request import Incoming, LrsRequest
from xapi_store.http.resource import Resource
from xapi_store.http.responses import json_answer
from xapi_store.model.version import Version
from xapi_store.query import find_activity, find_person

_READERS = ("statements/read", "statements/read/mine", "all/read", "profile", "state")


def get_about(incoming: Incoming) -> Response:
    """Say which versions are spoken; needs no credentials."""
    if incoming.method not in ("GET", "HEAD"):
        raise MethodNotAllowedError(incoming.method, ("GET", "HEAD"))
    return json_answer({"version": [str(version) for version in Version]})


def _get_activity(_lrs: Lrs, session: Session, request: LrsRequest) -> Response:
    """Return an activity with its canonical definition."""
    request.credentials.require(*_READERS)
    request.allow({"activityId"})
    iri = request.iri("activityId")
    if iri is None:
        raise RequestError("The parameter activityId is missing.")
    return json_answer(find_activity(session, iri))


def _get_person(_lrs: Lrs, session: Session, request: LrsRequest) -> Response:
    """Return the Person object of an agent."""
    request.credentials.require(*_READERS)
    request.allow({"agent"})
    agent = request.actor("agent")
    if agent is None:
        raise RequestError("The parameter agent is missing.")
    return json_answer(find_person(session, agent))


ACTIVITIES = Resource(read=_get_activity, is_one_row=lambda _request: True)
AGENTS = Resource(read=_get_person, is_one_row=lambda _request: False)
