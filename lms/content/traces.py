"""What the shim of a trial notes as its page closes: it reaches no page any more, and is kept for the next one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from lms.content.app import content_site, require_label
from lms.launch.bodies import body_up_to
from lms.launch.queries import LaunchOverError, launch_to_write
from lms.trials.log import title_in_outline, write_line

MOST_BYTES = 64 * 1024  # as much as a browser lets outlive a page


class Trace(BaseModel):
    """Entries of a log, as the shim noted them: text of a stranger, and read as such by the page that shows it."""

    model_config = ConfigDict(extra="forbid")

    entries: Annotated[list[dict[str, Any]], Field(max_length=1_000)]


TraceBytes = Annotated[bytes, Depends(body_up_to(MOST_BYTES))]


router = APIRouter()


@router.post("/rt/{token}/trace")
def keep_trace(request: Request, token: str, body: TraceBytes) -> Response:
    """Keep what was noted as the page of a trial closed."""
    site = content_site(request)
    opened = site.trial_of(token)
    if opened is None:
        raise LaunchOverError  # nobody watches a real launch
    if len(body) > MOST_BYTES:
        return Response(status_code=413)
    try:
        trace = Trace.model_validate_json(body)
    except ValidationError:
        return Response(status_code=422)
    with opened as database, database.write() as session:
        launch = launch_to_write(session, token)
        require_label(site, request, launch.edition)
        facts = {"launch": str(launch.public_id), "entries": trace.entries}
        unit = title_in_outline(session, launch.identifier)
        write_line(session, "trace", at=site.now(), unit=unit, facts=facts)
    return Response(status_code=204)
