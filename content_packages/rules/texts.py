"""Titles, descriptions and catalogue data, the course an edition belongs to, and the report itself."""

from __future__ import annotations

from content_packages.rules.rule import OURS, Rule, error, note, warning

TEXTS: dict[str, Rule] = {
    "text.title_cut": warning(
        OURS,
        "Titles have more than {limit} characters and were cut, such as “{name}” with {length} (number: {count}).",
        "Write a title in the catalogue, or ask the author for a shorter one.",
    ),
    "text.description_cut": note(
        OURS,
        "Descriptions have more than {limit} characters and were cut; the longest has {length} (number: {count}).",
        "Write a description in the catalogue, or ask the author for a shorter one.",
    ),
    "text.order": note(
        "Unicode UAX #9, 2.1 to 2.4",
        "Signs that turn the order of letters around were left out of titles and descriptions, such as {name} (number: "
        "{count}).",
    ),
    "text.garbled": warning(
        "Unicode Standard 2.5",
        "Titles or descriptions look as if they had been read in a wrong encoding, such as “{name}” (number: {count}).",
        "Look at them. If they are wrong, write them in the catalogue, or ask the author for an export in UTF-8.",
    ),
    "text.markup": note(
        OURS,
        "Titles hold signs of HTML, which are shown as they stand, such as “{name}” (number: {count}).",
        "Write a title in the catalogue, or ask the author for one without them.",
    ),
    "catalogue.read": note("schema.org, JSON-LD 1.1", "What the catalogue says was read from {name}."),
    "catalogue.learning_time": note(
        "IEEE 1484.12.1, 5.9",
        "The record of the package gives “{value}” as learning time, which cannot be read as a time; it was left out.",
        "Write the time in the catalogue.",
    ),
    "catalogue.unreadable": note(
        "schema.org, JSON-LD 1.1",
        "{name} says nothing of a course in a form that is known, and was left aside.",
        "Write the entry in the catalogue.",
    ),
}

EDITION: dict[str, Rule] = {
    "edition.course_gone": error(
        OURS,
        "The course it was to be an edition of was deleted while the file waited; nothing of it was kept.",
        "Import the file as a course of its own.",
    ),
    "edition.same": note(
        OURS,
        "No file differs from edition {number} of the course.",
        "If a change was expected, export the course from the authoring tool once more, and import that.",
    ),
    "edition.mended": note(
        OURS,
        "Files that courses here had lost, because they were damaged or missing, came back with it (number: {count}).",
    ),
    "edition.whole_again": note(
        OURS,
        "Files of edition {number} of “{title}” were damaged or missing here; it is whole again, and nothing new was "
        "made.",
    ),
    "edition.unrelated": warning(
        OURS,
        "The package is called “{name}” and bears another identifier than the course “{other}”, whose edition it was "
        "made; officers would be given it in that course's place.",
        "If it is a course of its own, publish the former edition again and import this one by itself.",
    ),
}

REPORT: dict[str, Rule] = {
    "report.more": note(OURS, "There are more findings of the kind {name} (number left out: {count}).")
}
