"""About, Activities and Agents resources (xAPI 1.0.3 Communication §2.4, §2.5, §2.8; xAPI 2.0 §4.1.6)."""

from starlette.responses import Response

from xapi_store.errors import RequestError
from xapi_store.http.lrs import Lrs
from xapi_store.http.request import LrsRequest
from xapi_store.http.responses import json_answer
from xapi_store.model.version import Version
from xapi_store.query import find_activity, find_person

_READERS = ("statements/read", "statements/read/mine", "all/read", "profile", "state")


def get_about() -> Response:
    """Say which versions are spoken; needs no credentials."""
    return json_answer({"version": [str(version) for version in Version]})


def get_activity(lrs: Lrs, request: LrsRequest) -> Response:
    """Return an activity with its canonical definition."""
    request.credentials.require(*_READERS)
    request.allow({"activityId"})
    iri = request.iri("activityId")
    if iri is None:
        raise RequestError("The parameter activityId is missing.")
    with lrs.read() as session:
        return json_answer(find_activity(session, iri))


def get_person(lrs: Lrs, request: LrsRequest) -> Response:
    """Return the Person object of an agent."""
    request.credentials.require(*_READERS)
    request.allow({"agent"})
    agent = request.actor("agent")
    if agent is None:
        raise RequestError("The parameter agent is missing.")
    with lrs.read() as session:
        return json_answer(find_person(session, agent))
