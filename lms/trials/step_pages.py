"""The log of a trial, step by step, as attempts have it: read from the trial's own database, and gone with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lms.launch.pages import desk_of
from lms.reports.step_log import listed, read_page, read_step, shown
from lms.trials.pages import Manager, entered
from lms.trials.trial import Trial
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router

router = page_router("/trials/{trial_id}/steps")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What the pages of a log say they are of."""

    trial: Trial

    @property
    def at(self) -> str:
        """The address of what is recorded."""
        return f"/trials/{self.trial.public_id}/records"

    @property
    def log_at(self) -> str:
        """The address of the log."""
        return f"/trials/{self.trial.public_id}/steps"

    @property
    def name(self) -> str:
        """What is tried."""
        return self.trial.title

    def title_in(self, _language: str) -> str:
        """What is tried, in the language the trial was opened in."""
        return self.trial.title


@router.get("")
def show_log(
    request: Request, viewer: Manager, trial_id: UUID, page: Annotated[int, Query(ge=1, le=1_000)] = 1
) -> Response:
    """List what sequencing decided in a trial, the newest first."""
    with entered(request, viewer, trial_id) as (trial, database), database.read() as session:
        log = read_page(session, desk_of(request).shelf, trial.registration, page=page)
    steps = listed(log, language_of(request), page=page)
    return render(request, "reports/attempt_log.html", of=Tried(trial=trial), **steps)


@router.get("/{number}")
def show_step(request: Request, viewer: Manager, trial_id: UUID, number: int) -> Response:
    """Show one step of a trial, and the rule that decided."""
    with entered(request, viewer, trial_id) as (trial, database), database.read() as session:
        log = read_step(session, desk_of(request).shelf, trial.registration, number=number)
    step = shown(log, language_of(request))
    return render(request, "reports/attempt_step.html", of=Tried(trial=trial), **step)
