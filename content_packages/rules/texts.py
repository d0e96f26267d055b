"""Titles, descriptions and catalogue data, and the report itself."""

from __future__ import annotations

from content_packages.rules.rule import OURS, Rule, note, warning

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
    "catalogue.read": note("schema.org, JSON-LD 1.1", "What the catalogue says was read from {name}."),
    "catalogue.unreadable": note(
        "schema.org, JSON-LD 1.1",
        "{name} says nothing of a course in a form that is known, and was left aside.",
        "Write the entry in the catalogue.",
    ),
}

REPORT: dict[str, Rule] = {
    "report.more": note(OURS, "There are more findings of the kind {name} (number left out: {count}).")
}
