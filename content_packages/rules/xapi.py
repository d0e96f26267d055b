"""Packages of xAPI, with a tincan.xml."""

from __future__ import annotations

from content_packages.rules.rule import ASK, OFFLINE, OURS, Rule, error, warning

_TINCAN = "xAPI package, tincan.xml"

XAPI: dict[str, Rule] = {
    "xapi.not_a_package": error(_TINCAN, "The root element of {name} is {found}, not tincan.", ASK),
    "xapi.no_launch": error(_TINCAN, "No activity of {name} names a page to launch.", ASK),
    "xapi.no_id": error(_TINCAN, "The activity {name}, which is to be launched, has no id.", ASK),
    "xapi.id_too_long": error(OURS, "The id {name} is longer than {limit} bytes.", ASK),
    "xapi.launch_not_in_package": error(
        _TINCAN, "The launch address {url} of {name} means no file of the package.", ASK
    ),
    "xapi.launch_address": error(
        "RFC 1738", "The launch address {url} of {name} is not an address that can be opened.", ASK
    ),
    "xapi.launch_elsewhere": warning(
        OFFLINE,
        "The activity {name} lies on {host}, not in the package, and cannot be opened without a network.",
        "Ask the author for a package that holds its own content.",
    ),
    "xapi.launch_differs": warning(_TINCAN, "The manifest writes {url} for the file {other}."),
    "xapi.launch_misplaced": warning(
        _TINCAN, "The launch address stands beside the activities; it was taken for that of {name}."
    ),
    "xapi.launches": warning(
        _TINCAN, "The activity {name} has several launch addresses; the first was taken (number: {count})."
    ),
    "xapi.iri": warning(
        "xAPI 1.0.3 Data 2.4.4.1",
        "The id {name} is not a complete address with a scheme; records about it may be refused.",
    ),
    "xapi.duplicate_id": warning(
        _TINCAN, "The activity {name} is described twice; the first was taken (number: {count})."
    ),
    "xapi.ignored": warning(_TINCAN, "Activities without an id were left out (number: {count})."),
    "xapi.namespace": warning(
        _TINCAN, "The manifest has the namespace “{namespace}”; it was read as if it were {usual}."
    ),
}
