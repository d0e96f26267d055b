"""What the pages of a package do that browsers no longer let them."""

from __future__ import annotations

from content_packages.rules.rule import ASK, BROWSERS, CHECK, Rule, note, warning

_REPLACE = "Try the course before you publish it; ask the author to export it again with a current tool."
_SAVE_EARLIER = "Leave the course half-way and open it again: what was done must still be there."

PAGES: dict[str, Rule] = {
    "page.missing_file": warning(
        "HTML Living Standard",
        "Pages ask for scripts, styles, films or other pages that are not in the package, such as {name} (number: "
        "{count}).",
        "Try the course before you publish it; if a page stays empty or saves nothing, ask the author to export again.",
    ),
    "page.no_course_data": warning(
        "Adapt framework",
        "The course reads all that is in it from {name}, and no such file is in the package; it cannot begin.",
        ASK,
    ),
    "page.missing_picture": note(
        "HTML Living Standard",
        "Pages ask for pictures that are not in the package, such as {name} (number: {count}).",
        "Look the pages over before you publish the course; if pictures matter there, ask the author to export again.",
    ),
    "script.flash_files": warning(
        BROWSERS,
        "The package holds Flash files, such as {name}; no browser has played them since 2021 (number: {count}).",
        _REPLACE,
    ),
    "script.flash": note(
        BROWSERS,
        "Pages ask for the Flash player ({name}), which no browser has had since 2021 (number: {count}).",
        CHECK,
    ),
    "script.removed": warning(
        BROWSERS, "Pages use {name}, which browsers have removed (number: {count}).", _REPLACE
    ),
    "script.unload": note(
        BROWSERS,
        "Scripts act when the page goes away ({name}); browsers may skip that (number: {count}).",
        _SAVE_EARLIER,
    ),
    "script.unload_only": warning(
        BROWSERS,
        "Scripts save when the page goes away ({name}) and never before; what was done may be lost "
        "(number: {count}).",
        _SAVE_EARLIER,
    ),
    "script.sync_request": note(
        BROWSERS, "Scripts wait for the network while they work ({name}) (number: {count}).", CHECK
    ),
    "script.sync_unload": warning(
        BROWSERS,
        "Scripts wait for the network when the page goes away ({name}); browsers refuse that (number: {count}).",
        _SAVE_EARLIER,
    ),
    "script.popup": note(
        BROWSERS,
        "Scripts open windows of their own ({name}), which may be blocked (number: {count}).",
        CHECK,
    ),
    "script.launcher": warning(
        BROWSERS,
        "The course begins with a page that does nothing but open a window for it, which it may not: {name} (number: "
        "{count}).",
        "Ask an administrator to allow it windows, or the author for a course that begins with its own first page.",
    ),
    "script.frames": warning(
        BROWSERS,
        "Frames of the course lead each other ({name}), which is closed to them; what they should show stays away "
        "(number: {count}).",
        "Try the course; if a part of it stays empty, ask an administrator to allow it frames that lead each other.",
    ),
    "script.top_window": note(
        BROWSERS,
        "Scripts reach for the window around the course ({name}), which is closed to them (number: {count}).",
        CHECK,
    ),
    "script.top_at_once": warning(
        BROWSERS,
        "Scripts take hold of the window around the course as soon as they are read ({name}); that ends them with an "
        "error, so the page may stay empty (number: {count}).",
        "Try the course; if it stays empty, ask an administrator to allow it a window of its own.",
    ),
    "script.document_domain": warning(
        BROWSERS, "Scripts set document.domain, which browsers have removed (number: {count})."
    ),
    "script.document_write": warning(
        BROWSERS,
        "Scripts write pages with files of other hosts into themselves ({name}) (number: {count}).",
        "Try the course with the network off; ask the author to put the files into the package.",
    ),
}
