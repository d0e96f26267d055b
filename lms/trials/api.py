"""The fetch URL of units that are tried (cmi5 8.2): the token in it says which trial's database it opens."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from lms.cmi5.actions import fetch
from lms.cmi5.api import FETCH_METHODS, fetch_answer
from lms.cmi5.tables import UnitSession
from lms.launch.pages import desk_of
from lms.launch.queries import digest
from lms.trials.actions import trial_desk
from lms.trials.databases import TrialOverError, trial_in_token, trials_of
from lms.trials.exchange import fetch_exchange
from lms.trials.log import title_of, write_line
from lms.web.site import site_of

fetching = APIRouter(include_in_schema=False)
_UNKNOWN = {"error-code": "2", "error-text": "This is not the fetch URL of any session."}


@fetching.api_route("/fetch/trial-{rest}", methods=FETCH_METHODS)
def answer_fetch(request: Request, rest: str) -> Response:
    """Give a unit that is tried its credential, once; the log says that it came, and not which one."""
    token = f"trial-{rest}"
    trial = trial_in_token(token)
    if trial is None:
        return fetch_answer(request, lambda: _UNKNOWN)
    desk, now = desk_of(request), site_of(request).now()

    def told() -> dict[str, str]:
        try:
            with trials_of(request).opened(trial) as database, database.write() as session:
                answer = fetch(session, trial_desk(desk, trial), token, now=now)
                found = session.scalars(
                    select(UnitSession.id).where(UnitSession.fetch_digest == digest(token))
                )
                facts = fetch_exchange(answer).facts()
                write_line(session, "exchange", at=now, unit=title_of(session, found.first()), facts=facts)
        except TrialOverError:
            return _UNKNOWN
        return answer

    return fetch_answer(request, told)
