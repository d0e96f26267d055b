"""The catalogues of the interface: collect, update, compile, check.

``python -m lms.web.catalogues update|compile|check``; ``make strings`` calls it. Strings come from every
feature's Python files (``mark``, ``gettext``) and templates (``_``, ``{% trans %}``), and from the rules of content
packages, which know nothing of languages. The English catalogue holds only what differs from the message id,
which is plural forms; the others must be complete.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from content_packages.rules import PHRASES, RULES
from content_packages.sequencing.errors import MEANINGS
from lms.web.locale import DOMAIN, FOLDER, SOURCE

LMS = Path(__file__).parents[1]
_METHODS: list[tuple[str, str]] = [
    ("**/player/**", "ignore"),
    ("**/templates/**.html", "jinja2"),
    ("**.py", "python"),
]
_OPTIONS = {"**/templates/**.html": {"trimmed": "true", "encoding": "utf-8"}}
_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "mark": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_WIDTH = 110


def extract() -> Catalog:
    """Return every string of the interface, without translations."""
    found = Catalog(project="Outpost", charset="utf-8", domain=DOMAIN)
    for name, _line, message, comments, context in extract_from_dir(
        LMS, _METHODS, _OPTIONS, keywords=_KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        # Without line numbers a catalogue changes only when a string does.
        found.add(
            message,
            locations=[(f"lms/{Path(name).as_posix()}", 0)],
            auto_comments=comments,
            context=context,
        )
    for message in _of_rules():
        found.add(message, locations=[("content_packages/rules", 0)])
    for message in dict.fromkeys(MEANINGS.values()):
        found.add(message, locations=[("content_packages/sequencing/errors.py", 0)])
    return found


def _of_rules() -> Iterator[str]:
    """Return what the report of an import may say."""
    for rule in RULES.values():
        yield rule.text
        yield rule.remedy
    yield from PHRASES


def read(code: str) -> Catalog:
    """Return the catalogue of one language as it stands in the source."""
    with source(code).open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def update() -> None:
    """Bring every catalogue up to the strings there are; what is new waits for its translation."""
    template = extract()
    for code in codes():
        catalogue = read(code) if source(code).exists() else Catalog(locale=code, domain=DOMAIN)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        _sign(catalogue)
        _write(catalogue, source(code))


def compile_all() -> None:
    """Write the compiled catalogues that pages are drawn with."""
    for code in codes():
        buffer = BytesIO()
        write_mo(buffer, read(code))
        target = source(code).with_suffix(".mo")
        beside = target.with_suffix(".mo.new")
        beside.write_bytes(buffer.getvalue())
        beside.replace(target)


def gaps(template: Catalog) -> list[str]:
    """Return which strings of *template* are missing or doubtful in the catalogues, one line each."""
    found = []
    for code in codes():
        catalogue = read(code)
        for message in template:
            if message.id:
                found += [f"{code}: {fault}: {message.id!r}" for fault in _faults(catalogue, message)]
    return found


def codes() -> list[str]:
    """Return the languages that have a folder."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def source(code: str) -> Path:
    """Return where the catalogue of a language stands."""
    return FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def _faults(catalogue: Catalog, message: Message) -> list[str]:
    kept = catalogue.get(message.id, message.context)
    if kept is None:
        return ["not in the catalogue"]
    if kept.fuzzy:
        return ["fuzzy"]
    forms = kept.string if isinstance(kept.string, list | tuple) else (kept.string,)
    if str(catalogue.locale) != SOURCE and (
        not all(forms) or (kept.pluralizable and len(forms) != catalogue.num_plurals)
    ):
        return ["not translated"]
    return [str(error) for error in kept.check(catalogue)]


def _sign(catalogue: Catalog) -> None:
    catalogue.header_comment = "# The words of Outpost.\n# SPDX-License-Identifier: Apache-2.0"
    catalogue.project, catalogue.version = "Outpost", "1"
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "the Outpost team"
    catalogue.revision_date = datetime(2000, 1, 1, tzinfo=UTC)  # the history has the dates
    catalogue.creation_date = catalogue.revision_date
    catalogue.fuzzy = False


def _write(catalogue: Catalog, target: Path) -> None:
    buffer = BytesIO()
    write_po(buffer, catalogue, width=_WIDTH, sort_output=True, ignore_obsolete=True, include_lineno=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".po.new")
    beside.write_bytes(buffer.getvalue())
    beside.replace(target)


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    match arguments:
        case ["update"]:
            update()
            compile_all()
        case ["compile"]:
            compile_all()
        case ["check"]:
            found = gaps(extract())
            print(*found, sep="\n", end="\n" if found else "")  # noqa: T201 - a command speaks
            return 1 if found else 0
        case _:
            print("python -m lms.web.catalogues update|compile|check")  # noqa: T201 - a command speaks
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
