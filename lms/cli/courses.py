"""``lms import`` and ``lms enrol``: courses, and who takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lms.cli.console import Data, Json, failing_on, print_json, say
from lms.cli.opening import opened
from lms.courses.actions import CourseNotFoundError
from lms.courses.tables import CourseImport, ImportState

app = typer.Typer()

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)]


@app.command(name="import")
def import_(
    files: Files,
    publish: Annotated[bool, typer.Option("--publish", help="Give it to learners at once.")] = False,
    as_id: Annotated[UUID | None, typer.Option("--as", help="Make it an edition of this course.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import course packages and print what was found in them."""
    with opened(data) as node, failing_on(CourseNotFoundError):
        done = [node.importer.import_file(path, by=None, into=as_id, publish_it=publish) for path in files]
    facts = [_facts(one) for one in done]
    if as_json:
        print_json(facts[0] if len(facts) == 1 else facts)
    else:
        for one in facts:
            _tell(one)
    if any(one.state is ImportState.REFUSED for one in done):
        raise typer.Exit(1)


def _facts(done: CourseImport) -> dict[str, object]:
    report = done.report or {}
    found: dict[str, list[object]] = {"error": [], "warning": [], "note": []}
    for finding in report.get("findings", []):
        found[finding["severity"]].append(finding)
    return {
        "file": done.file_name,
        "course_id": str(done.course) if done.course else None,
        "edition": str(done.edition) if done.edition else None,
        "errors": found["error"],
        "warnings": found["warning"],
        "notes": found["note"],
    }


def _tell(facts: dict[str, object]) -> None:
    course = facts["course_id"]
    say(f"{facts['file']}: {'course ' + str(course) if course else 'refused'}")
    for kind in ("errors", "warnings", "notes"):
        findings = facts[kind]
        assert isinstance(findings, list)  # noqa: S101 - made above
        for finding in findings:
            say(f"  {kind[:-1]} {finding['code']}: {finding['detail']}")
            if finding.get("remedy"):
                say(f"    {finding['remedy']}")
