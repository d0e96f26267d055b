"""``lms export``: a course leaves as the package it came as, with its catalogue data beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer

from content_packages.errors import ShelfError
from lms.cli.console import Data, Json, fail, failing_on, show
from lms.cli.opening import opened
from lms.courses.actions import CourseNotFoundError
from lms.courses.originals import OriginalDamagedError, OriginalMissingError, catalogue_data, original_of
from lms.courses.queries import current_edition, editions_of, find_course
from lms.courses.subjects import subjects_known

app = typer.Typer()


class PackageFormat(StrEnum):
    """As what a course is written."""

    ORIGINAL = "original"


@app.command()
def export(  # noqa: PLR0917 - typer reads options from positional parameters
    course: Annotated[UUID, typer.Argument(help="The course, by its id.", metavar="COURSE")],
    file: Annotated[
        Path,
        typer.Argument(help="Where to write it; its catalogue entry goes to FILE.jsonld.", dir_okay=False),
    ],
    edition: Annotated[
        int | None, typer.Option(help="Which edition, by its number; the one learners are given by default.")
    ] = None,
    format_: Annotated[
        PackageFormat, typer.Option("--format", help="As what; original is the package as it was imported.")
    ] = PackageFormat.ORIGINAL,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the package a course was imported from, byte for byte, and its catalogue entry (schema.org) beside it."""
    with (
        failing_on(CourseNotFoundError, OriginalMissingError, OriginalDamagedError, ShelfError),
        opened(data) as node,
    ):
        with node.database.read() as session:
            found = find_course(session, course)
            if found is None:
                raise CourseNotFoundError(course)
            editions = editions_of(session, found)
            given = current_edition(session, found) or (editions[0] if len(editions) == 1 else None)
        chosen = given if edition is None else next((one for one in editions if one.number == edition), None)
        if chosen is None and edition is None and editions:
            numbers = ", ".join(str(one.number) for one in reversed(editions))
            fail(f"Learners are given no edition of this course now. Name one by --edition: {numbers}.")
        if chosen is None:
            fail(f"This course has no edition {edition if edition is not None else 'yet'}.")
        original, _ = original_of(node.shelf, chosen)
        for piece in original.files():
            node.shelf.verify(piece.digest)
        digest = hashlib.sha256()

        def write(target: Path) -> None:
            with target.open("wb") as whole:
                for bit in original.read(node.shelf):
                    digest.update(bit)
                    whole.write(bit)

        _write_beside(file, write)
        told = catalogue_data(
            node.shelf, found, chosen, subjects_known(node.settings.data), sha256=digest.hexdigest()
        )
    _write_beside(
        file.with_name(f"{file.name}.jsonld"),
        lambda target: target.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2)),
    )
    show(
        {"file": str(file), "format": format_.value, "edition": chosen.number, "sha256": digest.hexdigest()},
        as_json=as_json,
    )


def _write_beside(target: Path, write: Callable[[Path], object]) -> None:
    """Let a file appear whole or not at all."""
    beside = target.with_name(f".{target.name}.new")
    try:
        write(beside)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        fail(f"{target} cannot be written: {error.strerror}.")
