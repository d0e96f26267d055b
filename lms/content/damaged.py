"""What is shown in place of a lesson of which files are damaged or missing here: a sentence, and not half a lesson."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import HTMLResponse, Response

from content_packages.package import Package
from lms.content.files import find_file
from lms.courses.checked_files import CheckedFiles
from lms.courses.damage import damage_of
from lms.courses.tables import Edition
from lms.web.locale import Language
from lms.web.pages import fragment

MOST_NAMED = 5


def before_lesson(
    checked: CheckedFiles, edition: Edition, package: Package, path: str, spoken: Language, *, go_on: str
) -> Response | None:
    """Return what is shown before a lesson begins whose edition has lost files; ``None``: it has lost none.

    Args:
        checked: looks first, as far as there is time, at all that the edition needs.
        edition: which is played.
        package: what it holds.
        path: of the page that the lesson begins with; without it there is no going on.
        spoken: the officer's language.
        go_on: the address at which she has the lesson all the same: a picture may be all that is missing.
    """
    checked.look_over(package.files.values())
    damage = next(damage_of(checked.shelf, [edition]), None)
    if damage is None or not damage.names:
        return None
    found = find_file(checked.shelf, edition.manifest, path)
    begins = found is not None and found[0] not in damage.names
    return damaged(damage.names, spoken, go_on=go_on if begins else None)


def damaged(names: Sequence[str], spoken: Language, *, go_on: str | None = None) -> Response:
    """Return the page that says which files are damaged, what was kept and what to do."""
    page = fragment(
        spoken,
        "content/damaged.html",
        names=names[:MOST_NAMED],
        more=len(names) - MOST_NAMED,
        count=len(names),
        go_on=go_on,
    )
    return HTMLResponse(page, 503)
