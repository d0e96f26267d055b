"""Build the sample courses: small, whole SCORM packages made from the sources in ``content/``.

The same call gives the same bytes on every machine: sources are read as text, so that the line ends of a
checkout do not matter, entries have one fixed date, and nothing is compressed, as packers differ.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Literal

Language = Literal["en", "ar"]

RIGHT_ANSWERS = ("answer-2", "answer-4", "answer-8")
"""The element ids of the right answers, the same in every quiz."""

_CONTENT = Path(__file__).parent / "content"
_DATE = (2026, 1, 1, 0, 0, 0)
_SHARED = ("course.css", "course.js", "find_api.js")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unit:
    """One SCO: the sections in ``source`` become the page ``<identifier>.html``."""

    identifier: str
    title: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Course:
    identifier: str
    title: str
    description: str
    picture: str
    units: Sequence[_Unit]
    language: Language = "en"


_HUMAN_RIGHTS = {
    "en": (
        "Human rights at the border crossing",
        "What every person who arrives may expect of the officer at the barrier.",
    ),
    "ar": ("حقوق الإنسان عند المعبر الحدودي", "ما يحق لكل قادم أن يتوقعه من الموظف عند الحاجز."),
}
_VEHICLE_TOPICS = ("Before you begin", "Around the vehicle", "Inside the vehicle", "When you find something")


def scorm12_single_sco(language: Language = "en") -> bytes:
    """Return "Human rights at the border crossing" as a SCORM 1.2 package with one SCO."""
    return zipped(_files(_human_rights(language), "scorm12"))


def scorm12_many_scos(count: int = 4) -> bytes:
    """Return "Searching a vehicle safely" as a SCORM 1.2 package with ``count`` SCOs."""
    return zipped(_files(_vehicle(count), "scorm12"))


def scorm2004_single_sco(language: Language = "en") -> bytes:
    """Return "Human rights at the border crossing" as a SCORM 2004 4th Edition package with one SCO."""
    return zipped(_files(_human_rights(language), "scorm2004"))


def scorm2004_many_scos(count: int = 4) -> bytes:
    """Return "Searching a vehicle safely" as a SCORM 2004 4th Edition package with ``count`` SCOs."""
    return zipped(_files(_vehicle(count), "scorm2004"))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files, in the order of their names."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _DATE)
            entry.create_system = 3  # otherwise Windows would write another byte here
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return target.getvalue()


def _human_rights(language: Language) -> _Course:
    title, description = _HUMAN_RIGHTS[language]
    return _Course(
        identifier="org.outpost.demo.human-rights",
        title=title,
        description=description,
        picture="human_rights/border.svg",
        units=[_Unit(identifier="unit-1", title=title, source=f"human_rights/{language}.html")],
        language=language,
    )


def _vehicle(count: int) -> _Course:
    """Make as many units as asked for; after the last topic the first comes again, with another vehicle."""
    units = []
    for index in range(count):
        vehicle, topic = divmod(index, len(_VEHICLE_TOPICS))
        title = _VEHICLE_TOPICS[topic] if vehicle == 0 else f"{_VEHICLE_TOPICS[topic]}: vehicle {vehicle + 1}"
        units.append(_Unit(identifier=f"unit-{index + 1}", title=title, source=f"vehicle/{topic + 1}.html"))
    return _Course(
        identifier="org.outpost.demo.vehicle-search",
        title="Searching a vehicle safely",
        description="How two officers search a vehicle without harm to anybody.",
        picture="vehicle/vehicle.svg",
        units=units,
    )


def _files(course: _Course, standard: Literal["scorm12", "scorm2004"]) -> dict[str, bytes]:
    """Return every file of the package by its path."""
    shared = {f"shared/{name}": _read(f"shared/{name}") for name in _SHARED}
    shared["shared/record.js"] = _read(f"shared/{standard}.js")
    shared[Path(course.picture).name] = _read(course.picture)
    files = shared | {f"{unit.identifier}.html": _page(course, unit) for unit in course.units}
    files["imsmanifest.xml"] = _manifest(course, standard, shared)
    return {path: text.encode() for path, text in files.items()}


def _page(course: _Course, unit: _Unit) -> str:
    words = json.loads(_read(f"shared/words.{course.language}.json"))
    return Template(_read("shared/page.html")).substitute(
        language=course.language,
        direction="rtl" if course.language == "ar" else "ltr",
        title=escape(unit.title),
        pages=_read(unit.source).rstrip(),
        words=json.dumps(words, ensure_ascii=False).replace("<", "\\u003c"),
        previous=escape(words["previous"]),
        next=escape(words["next"]),
        finish=escape(words["finish"]),
    )


def _manifest(course: _Course, standard: str, shared: Mapping[str, str]) -> str:
    def each_unit(template: str) -> str:
        return "".join(
            Template(_read(f"manifests/{standard}_{template}.xml")).substitute(
                identifier=unit.identifier, title=escape(unit.title), page=f"{unit.identifier}.html"
            )
            for unit in course.units
        ).rstrip()

    return Template(_read(f"manifests/{standard}.xml")).substitute(
        identifier=f"{course.identifier}.{course.language}",
        language=course.language,
        title=escape(course.title),
        description=escape(course.description),
        items=each_unit("item"),
        resources=each_unit("resource"),
        shared="\n".join(f'   <file href="{path}"/>' for path in sorted(shared)),
    )


def _read(path: str) -> str:
    return (_CONTENT / path).read_text(encoding="utf-8")
