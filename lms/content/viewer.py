"""The pages that show a single file: what each is told, and what it may do.

They belong to the product and not to a package, so that a later release mends them for every course.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from babel import Locale, UnknownLocaleError
from markupsafe import Markup

from content_packages.package import Activity, Caption, Package, Viewer
from lms.web.locale import Language, own_name
from lms.web.pages import fragment

ASSETS = "../../built/"
SCRIPTS: dict[Viewer, str] = {"pdf": "pdf.js", "video": "media.js", "audio": "media.js", "epub": "epub.js"}


def viewer_page(
    package: Package,
    activity: Activity,
    token: str,
    spoken: Language,
    names: Mapping[str, str],
) -> str:
    """Return the page of ours that shows a file.

    Args:
        package: what the file was found to be.
        activity: its one unit.
        token: of the launch; opens the file.
        spoken: the learner's language.
        names: the file of the front end behind each plain name.
    """
    viewer = activity.viewer
    assert viewer is not None  # noqa: S101 - the caller has seen that we show it
    files = f"../../c/{token}/"
    boot = {"direction": _direction(package, _script(package, spoken))} | _told(
        package, activity, files, spoken, names
    )
    return fragment(
        spoken,
        "content/viewer.html",
        viewer=viewer,
        script=SCRIPTS[viewer],
        title=activity.title,
        lang=package.languages[0] if package.languages else "",
        captioned=bool(package.captions),
        boot=in_page(boot),
        assets=ASSETS,
        names=names,
    )


def viewer_security_policy(public_url: str) -> str:
    """Return what our pages around a stranger's file may do: our scripts, his file, nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data: blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors 'self' {public_url}",
        )
    )


def file_security_policy(public_url: str) -> str:
    """Return what a file shown by us may do by itself, a part of a book above all: be looked at."""
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self' data: 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "media-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "sandbox allow-same-origin",
            f"frame-ancestors 'self' {public_url}",
        )
    )


def in_page(values: Mapping[str, Any]) -> Markup:
    """Return values as JSON that cannot end the element it stands in."""
    plain = json.dumps(values).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(plain)  # noqa: S704 - every sign that HTML knows was replaced


def _told(
    package: Package,
    activity: Activity,
    files: str,
    spoken: Language,
    names: Mapping[str, str],
) -> dict[str, Any]:
    assert activity.launch is not None  # noqa: S101 - only what can be launched is ever delivered
    src = files + quote(activity.launch.path)
    match activity.viewer:
        case "pdf":
            return {
                "src": src,
                "worker": ASSETS + names["pdf-worker.js"],
                "cmaps": ASSETS + names["pdf-cmaps"],
                "fonts": ASSETS + names["pdf-standard_fonts"],
            }
        case "epub" if package.book is not None:
            parts = [
                {"src": files + quote(path), "size": package.files[path].size} for path in package.book.spine
            ]
            toc = [
                {"title": one.title, "part": one.part, "fragment": one.fragment, "level": one.level}
                for one in package.book.toc
            ]
            return {"parts": parts, "toc": toc, "script": _script(package, spoken)}
        case _:
            return {"src": src, "captions": [_caption(one, files, spoken) for one in package.captions]}


def _caption(caption: Caption, files: str, spoken: Language) -> dict[str, str]:
    name = own_name(caption.language) or spoken.gettext("Captions")
    return {"src": files + quote(caption.path), "language": caption.language, "label": name}


def _direction(package: Package, script: str) -> str:
    """Return which way pages turn: as the book says, or as it is written."""
    said = package.book.direction if package.book is not None else None
    return said or script


def _script(package: Package, spoken: Language) -> str:
    """Return which way the file's language is written, or ours where it does not say."""
    try:
        return (
            Locale.parse(package.languages[0], sep="-").text_direction
            if package.languages
            else spoken.direction
        )
    except (UnknownLocaleError, ValueError):
        return spoken.direction
