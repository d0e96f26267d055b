"""The catalogue entry of a course: as a form for instructors, as JSON for programs, as JSON-LD for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from lms.courses.actions import CourseNotFoundError, describe_in_catalogue
from lms.courses.catalogue import (
    OF_EDITION,
    Entry,
    EntryError,
    LanguageTagError,
    entry_from,
    is_language_tag,
    json_ld,
    packaged_entry,
    written_entry,
)
from lms.courses.queries import current_edition, editions_of, find_course
from lms.courses.subjects import COVERAGE, Subject, subjects_of
from lms.courses.tables import Course, Edition
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.locale import language_of, languages
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer
from lms.web.wording import Worded, mark

router = page_router("/courses")
api = APIRouter(prefix="/api/v1/courses", tags=["courses"])
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]

MOST_EDITIONS = 5  # whose news can be written: the newest

_LINES = ("audience", "licence", "owner", "contact")
_TEXTS = {"titles": "title", "descriptions": "description"}  # parts of an entry, and how their fields begin


class TitleMissingError(Worded):
    """A language was added without a title in it."""

    sentence = mark("Write the title in this language too.")


class LanguageMissingError(Worded):
    """A title or a description was added, and nobody said in which language."""

    sentence = mark("Write which language this is, by its tag.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shown:
    """A course, what people wrote of it and of an edition, and what the package of that edition says.

    Args:
        edition: the one learners are given, or would be.
        editions: those whose news can be written, the newest first.
    """

    course: Course
    edition: Edition | None
    editions: Sequence[Edition]
    written: Entry
    packaged: Entry

    @property
    def whole(self) -> Entry:
        return self.written.over(self.packaged)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Typed:
    """What stands in the form.

    Args:
        of_course: the entry, as ``entry_from`` takes it; ``of_editions``: what belongs to editions, by their ids.
        added: a language, and title and description in it, that are not part of the entry yet.
    """

    of_course: Mapping[str, Any]
    of_editions: Mapping[UUID, Mapping[str, Any]]
    added: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(("language", *_TEXTS.values()), "")
    )

    @property
    def with_added(self) -> Mapping[str, Any]:
        """The entry with the language that was added."""
        tag = self.added["language"] or "und"
        return {**self.of_course} | {
            part: {**self.of_course[part], tag: self.added[name]}
            for part, name in _TEXTS.items()
            if self.added[name]
        }


async def _form(request: Request) -> FormData:
    return await request.form()


@router.get("/{course_id}/catalogue")
def show_entry(request: Request, _: Manager, course_id: UUID, saved: bool = False) -> Response:
    """Show the form with what people wrote; what the package says stands beside it."""
    shown = _load(request, course_id)
    typed = _Typed(
        of_course=asdict(shown.written),
        of_editions={one.public_id: one.catalogue or {} for one in shown.editions},
    )
    return _page(request, shown, typed, saved=saved)


@router.post("/{course_id}/catalogue")
def post_entry(
    request: Request, _: Manager, course_id: UUID, form: Annotated[FormData, Depends(_form)]
) -> Response:
    """Keep what was written; where something cannot be taken, show the form as it was typed and say why."""
    site, shown = site_of(request), _load(request, course_id)
    typed = _typed(form, shown.editions)
    entry, wrong = _read(typed.with_added, lambda path, problem: _field_of(path, problem, typed.added))
    of_editions: dict[UUID, Entry] = {}
    for edition, said in typed.of_editions.items():
        of_editions[edition], wrong_there = _read(said, lambda path, _: path)
        wrong |= {f"{path}_{edition}": sentence for path, sentence in wrong_there.items()}
    wrong |= _missing(typed.added)
    if wrong:
        return _page(request, shown, typed, wrong=wrong)
    with site.database.write() as session:
        describe_in_catalogue(session, site.shelf, course_id, entry, of_editions=of_editions, now=site.now())
    return RedirectResponse(f"/courses/{course_id}/catalogue?saved=true", status_code=303)


@router.get("/{course_id}/catalogue.jsonld")
def get_json_ld(request: Request, _: Manager, course_id: UUID) -> Response:
    """Give the entry as schema.org has it, to be read by catalogues elsewhere."""
    return _json_ld(request, _load(request, course_id))


@api.get("/{course}/catalogue")
def get_entry(request: Request, _: Manager, course: UUID) -> dict[str, Any]:
    """Return the entry: what people wrote, and for the rest what the package says."""
    return _load(request, course).whole.to_json()


@api.put("/{course}/catalogue")
def put_entry(request: Request, _: Manager, course: UUID, entry: dict[str, Any]) -> dict[str, Any]:
    """Replace what people wrote; what is left out, the package goes on to say.

    Version and version notes are of the edition learners are given.
    """
    site, edition, said = site_of(request), _load(request, course).edition, entry_from(entry)
    of_editions = {edition.public_id: said} if edition else {}
    with site.database.write() as session:
        describe_in_catalogue(session, site.shelf, course, said, of_editions=of_editions, now=site.now())
    return _load(request, course).whole.to_json()


@api.get("/{course}/catalogue.jsonld", response_model=None)
def get_entry_json_ld(request: Request, _: Manager, course: UUID) -> Response:
    """Return the entry as a schema.org Course in JSON-LD."""
    return _json_ld(request, _load(request, course))


def _load(request: Request, course_id: UUID) -> _Shown:
    site = site_of(request)
    with site.database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise CourseNotFoundError(course_id)
        editions = editions_of(session, course)
        edition = current_edition(session, course) or next(iter(editions), None)
    return _Shown(
        course=course,
        edition=edition,
        editions=editions[:MOST_EDITIONS],
        written=written_entry(course, edition),
        packaged=packaged_entry(site.shelf, edition, subjects_of(request)),
    )


def _typed(form: FormData, editions: Sequence[Edition]) -> _Typed:
    """Return what was typed; empty fields say nothing."""

    def text(name: str) -> str:
        return str(form.get(name, "")).strip()

    def texts(name: str) -> dict[str, str]:
        given = {key.removeprefix(f"{name}_"): text(key) for key in form if key.startswith(f"{name}_")}
        return {tag: said for tag, said in given.items() if said}

    minutes = text("minutes")
    return _Typed(
        of_course={
            **{part: texts(name) for part, name in _TEXTS.items()},
            "subjects": tuple(str(code) for code in form.getlist("subjects")),
            "minutes": int(minutes) if minutes.isdecimal() and len(minutes) < 10 else minutes or None,
            **{name: text(name) for name in _LINES},
        },
        of_editions={
            one.public_id: {name: text(f"{name}_{one.public_id}") for name in OF_EDITION} for one in editions
        },
        added={name: text(f"new_{name}") for name in ("language", *_TEXTS.values())},
    )


def _read(values: Mapping[str, Any], named: Callable[[str, Worded], str]) -> tuple[Entry, dict[str, Worded]]:
    """Return an entry, or what is wrong in it by the names of the fields."""
    try:
        return entry_from(values), {}
    except EntryError as error:
        return Entry(), {named(path, problem): problem for path, problem in error.wrong.items()}


def _field_of(path: str, problem: Worded, added: Mapping[str, str]) -> str:
    part, _, tag = path.partition(".")
    if part not in _TEXTS:
        return part
    if tag != added["language"]:
        return f"{_TEXTS[part]}_{tag}"
    return "new_language" if isinstance(problem, LanguageTagError) else f"new_{_TEXTS[part]}"


def _missing(added: Mapping[str, str]) -> dict[str, Worded]:
    """Say what a language that is added lacks: without a title nobody would find it."""
    wrong: dict[str, Worded] = {}
    if added["language"] and not is_language_tag(added["language"]):
        wrong["new_language"] = LanguageTagError(tag=added["language"])
    if added["language"] and not added["title"]:
        wrong["new_title"] = TitleMissingError()
    if not added["language"] and (added["title"] or added["description"]):
        wrong["new_language"] = LanguageMissingError()
    return wrong


def _page(
    request: Request,
    shown: _Shown,
    typed: _Typed,
    *,
    wrong: Mapping[str, Worded] | None = None,
    saved: bool = False,
) -> Response:
    offered, spoken = [one.code for one in languages()], language_of(request)
    said = typed.of_course
    tags = dict.fromkeys([*shown.course.languages, *offered, *said["titles"], *said["descriptions"]])
    known = subjects_of(request)
    unknown = [code for code in said["subjects"] if code not in known]
    packaged = shown.packaged.subjects

    def label(code: str) -> str:
        return known[code].label(spoken.code) if code in known else code

    return render(
        request,
        "courses/catalogue.html",
        status_code=422 if wrong else 200,
        course=shown.course,
        edition=shown.edition,
        editions=shown.editions,
        typed=said,
        of_editions=typed.of_editions,
        added=typed.added,
        packaged=shown.packaged,
        tags=list(tags),
        covered=[known[code] for code in COVERAGE],
        subjects=[one for one in known.values() if one.code not in COVERAGE]
        + [Subject(code=code, labels={}) for code in unknown],
        packaged_covered=[label(code) for code in packaged if code in COVERAGE],
        packaged_subjects=[label(code) for code in packaged if code not in COVERAGE],
        wrong={name: problem.said(spoken) for name, problem in (wrong or {}).items()},
        saved=saved,
    )


def _json_ld(request: Request, shown: _Shown) -> Response:
    made = json_ld(
        shown.whole,
        course=shown.course.public_id,
        languages=tuple(shown.course.languages),
        subjects=subjects_of(request),
    )
    return JSONResponse(
        made,
        media_type="application/ld+json",
        headers={"Content-Disposition": f'attachment; filename="{shown.course.public_id}.jsonld"'},
    )
