"""``lms import`` and ``lms enrol``: courses, and who takes them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import OperationalError

from content_packages.intake import Progress
from content_packages.package import standard_name
from lms.cli.console import (
    Data,
    Json,
    fail,
    failing_on,
    print_json,
    progress_bar,
    say,
    show,
    show_rows,
    warn,
)
from lms.cli.opening import opened
from lms.courses.actions import CourseNotFoundError
from lms.courses.queries import MOST_ALIKE, find_course, looks_like
from lms.courses.report_wording import KINDS_OF_FINDINGS, counts_in, is_mended, lessons_in
from lms.courses.tables import CourseImport
from lms.enrolment.actions import enrol as enrol_people
from lms.enrolment.actions import people_to_enrol
from lms.node import Node, utc_now
from lms.progress.actions import catch_up
from lms.reports.queries import progress_report
from lms.web.wording import Bytes, Worded

app = typer.Typer()


class ReportName(StrEnum):
    """The reports there are."""

    PROGRESS = "progress"


Files = Annotated[
    list[Path],
    typer.Argument(
        help="Packages (zip), course structures (cmi5.xml), or single files: PDF, MP4, WebM, MP3, EPUB."
    ),
]
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@app.command(name="import")
def import_(
    files: Files,
    publish: Annotated[bool, typer.Option("--publish", help="Give it to learners at once.")] = False,
    as_id: Annotated[UUID | None, typer.Option("--as", help="Make it an edition of this course.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import course packages or single files and print what was found in them.

    A film and its captions (film.mp4, film.en.vtt) go into one zip.
    """
    done = []
    with opened(data) as node, failing_on(CourseNotFoundError):
        for path in files:
            facts = _import(node, path, into=as_id, publish=publish)
            done.append(facts)
            if not as_json:
                _tell(facts)
    if as_json:
        print_json(done[0] if len(done) == 1 else done)
    if any(facts["course_id"] is None for facts in done):
        raise typer.Exit(1)


@app.command()
def enrol(
    course: Annotated[UUID, typer.Argument(help="The course, by its id.")],
    user: Annotated[list[str] | None, typer.Option(help="Personnel number; may be repeated.")] = None,
    group: Annotated[UUID | None, typer.Option(help="Everybody in this group.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let people take a course."""
    if not user and group is None:
        fail("Say who: --user NUMBER, or --group ID.", status=2)
    with opened(data) as node, failing_on(Worded, CourseNotFoundError), node.database.write() as session:
        if find_course(session, course) is None:
            raise CourseNotFoundError(course)
        done = enrol_people(
            session,
            course,
            people_to_enrol(session, numbers=user or (), group=group),
            by=None,
            now=utc_now(),
            new_id=uuid4,
            provisional=not node.duties.grants_travel,
        )
    show(asdict(done), as_json=as_json)


@app.command()
def report(
    name: Annotated[ReportName, typer.Argument(help="Which report.")] = ReportName.PROGRESS,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print a report: who stands how in which course."""
    with opened(data) as node:
        while catch_up(node.database):
            pass
        with node.database.read() as session:
            rows = progress_report(session)
    show_rows(rows, as_json=as_json, empty=f"Nothing to report on {name} yet: nobody takes a course.")


def _import(node: Node, path: Path, *, into: UUID | None, publish: bool) -> dict[str, Any]:
    """Import one file; what keeps this one from being imported need not keep the next."""
    try:
        with _bar(path.name) as progress:
            done = node.importer.import_file(path, by=None, into=into, publish_it=publish, progress=progress)
        with node.database.read() as session:
            alike = [
                {"course_id": str(one.public_id), "title": one.title} for one in looks_like(session, done)
            ]
        return _facts(done) | {"looks_like": alike, "problem": None}
    except (OSError, OperationalError) as error:
        kept_nothing = CourseImport(file_name=path.name)
        return _facts(kept_nothing) | {"looks_like": [], "problem": _problem(error)}


@contextmanager
def _bar(name: str) -> Iterator[Callable[[Progress], None]]:
    """Show a person at a terminal how far a file is; the bar is gone when it is told what came of it."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with progress_bar(*columns, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def tell(progress: Progress) -> None:
            bar.update(task, completed=progress.size, total=progress.size_total)

        yield tell


def _problem(error: OSError | OperationalError) -> str:
    """Return what happened to a file that is no fault of the file's own, and what to do."""
    if isinstance(error, OperationalError):
        return f"The database took nothing of it ({error.orig}). Put that right, then import it again."
    if error.errno in _FULL:
        return (
            "The disk is full; nothing of it was kept. Free space for the data folder, then import it again."
        )
    if isinstance(error, IsADirectoryError):
        return "This is a folder. Make a zip of what is in it, and import that."
    place = f": {error.filename}" if error.filename else ""
    return f"It could not be read or kept ({error.strerror or error}{place}). Put that right, then import it again."


def _facts(done: CourseImport) -> dict[str, Any]:
    report = done.report or {}
    return {
        "file": done.file_name,
        "course_id": str(done.course) if done.course else None,
        "edition": str(done.edition) if done.edition else None,
        "mended": is_mended(report),
        "standard": standard_name(report["standard"], report["edition"]) if report.get("standard") else None,
        **{
            name: report.get(name)
            for name in ("title", "tool", "languages", "sizes", "external_hosts", "outline")
        },
        "lessons": lessons_in(report),
        "counts": counts_in(report),
        **{kind: report.get(kind, []) for kind in KINDS_OF_FINDINGS},
    }


def _tell(facts: Mapping[str, Any]) -> None:
    """Print a report for a person at a terminal."""
    if facts["problem"]:
        warn(f"{facts['file']}: not imported. {facts['problem']}")
        return
    course = facts["course_id"]
    became = f"{'mended ' if facts['mended'] else ''}course {course}" if course else "refused"
    say(f"{facts['file']}: {became}")
    for name in ("title", "standard", "tool"):
        if facts[name]:
            say(f"  {name}: {facts[name]}")
    say(f"  found: {_counted(facts)}")
    if facts["languages"]:
        say(f"  languages: {', '.join(facts['languages'])}")
    if sizes := {kind: size for kind, size in (facts["sizes"] or {}).items() if size}:
        say("  size: " + ", ".join(f"{kind} {Bytes(size)}" for kind, size in sizes.items()))
    if facts["external_hosts"]:
        say(f"  does not work offline: {', '.join(facts['external_hosts'])}")
    if facts["outline"]:
        _tell_outline(facts["outline"], indent="  ")
    for kind in KINDS_OF_FINDINGS:
        for finding in facts[kind]:
            where = f" ({finding['location']})" if finding["location"] else ""
            say(f"  {kind[:-1]} {finding['code']}: {finding['detail']}{where}")
            say(f"    {finding['requirement']}. {finding['remedy']}")
    _tell_likeness(facts["looks_like"])


def _counted(facts: Mapping[str, Any]) -> str:
    """Say how much there is of each, most important first; lessons only of what was taken."""
    counts = {**facts["counts"], **({"lessons": facts["lessons"]} if facts["course_id"] else {})}
    return ", ".join(f"{count} {kind[:-1] if count == 1 else kind}" for kind, count in counts.items())


def _tell_likeness(courses: Sequence[Mapping[str, str]]) -> None:
    for one in courses[:MOST_ALIKE]:
        say(f"  This looks like a new edition of “{one['title']}”. To make it one, import it again with")
        say(f"    --as {one['course_id']}")
    if len(courses) > MOST_ALIKE:
        say(f"  Courses with the same identifier that are not named here: {len(courses) - MOST_ALIKE}")


def _tell_outline(node: Mapping[str, Any], *, indent: str) -> None:
    for child in node["children"]:
        say(f"{indent}- {child['title']}")
        _tell_outline(child, indent=f"{indent}  ")
