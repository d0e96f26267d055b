"""Course structures of cmi5."""

from __future__ import annotations

from content_packages.rules.rule import ASK, OFFLINE, OURS, Rule, error, note, warning

_XSD = "cmi5 13.2, CourseStructure.xsd"
_AU = "cmi5 13.1.4"
_ADDRESS = "Ask the author to correct the address of the unit and export the course again."

CMI5: dict[str, Rule] = {
    "cmi5.not_at_root": error(
        "cmi5 14.1",
        "The course structure {name} does not lie at the root of the zip.",
        "Make the zip of what is in the folder, so that cmi5.xml comes first, not of the folder itself.",
    ),
    "cmi5.not_a_course_structure": error(
        _XSD,
        "The root element is {name} of the namespace “{namespace}”, not courseStructure of {usual}.",
        ASK,
    ),
    "cmi5.undeclared_prefix": error(
        "cmi5 13.1.5", "The prefix {prefix} is not declared, so the course structure is not valid XML.", ASK
    ),
    "cmi5.unexpected_element": error(_XSD, "The element {name} is not allowed in {parent}.", ASK),
    "cmi5.element_order": error(_XSD, "In {parent}, {name} has to stand before {other}, not after it.", ASK),
    "cmi5.element_repeated": error(_XSD, "{parent} has a second {name}; one is allowed.", ASK),
    "cmi5.element_missing": error(_XSD, "{parent} has no {name}, which the standard requires.", ASK),
    "cmi5.no_units": error(
        _XSD, "{parent} holds neither a unit (au) nor a block; the standard requires one of them.", ASK
    ),
    "cmi5.stray_text": error(
        _XSD, "The element {name} holds the text “{text}”, where only elements may stand.", ASK
    ),
    "cmi5.unexpected_attribute": error(
        _XSD, "The element {name} may not have the attribute {attribute}.", ASK
    ),
    "cmi5.attribute_missing": error(
        _XSD, "The element {name} has no {attribute}, which the standard requires.", ASK
    ),
    "cmi5.iri": error(
        "cmi5 3.0",
        "The {attribute} of {name} is “{value}”, which is not a complete address with a scheme.",
        "Ask the author to write it in full, such as https://example.org/course/1.",
    ),
    "cmi5.move_on": error(
        _AU,
        "“{value}” is not a value of {attribute}: NotApplicable, Passed, Completed, CompletedAndPassed or "
        "CompletedOrPassed.",
        ASK,
    ),
    "cmi5.mastery_score": error(_AU, "“{value}” is not a {attribute}: a decimal number from 0 to 1.", ASK),
    "cmi5.launch_method": error(_AU, "“{value}” is not a value of {attribute}: AnyWindow or OwnWindow.", ASK),
    "cmi5.language": error(
        _XSD,
        "“{value}” is not the tag of a language, such as en or fr-CA (attribute {attribute} of {name}).",
        ASK,
    ),
    "cmi5.duplicate_block": error(
        "cmi5 13.1.2", "The id {name} of a block is used already, in line {other}.", ASK
    ),
    "cmi5.duplicate_objective": error(
        "cmi5 13.1.3", "The id {name} of an objective is used already, in line {other}.", ASK
    ),
    "cmi5.duplicate_au": error(_AU, "The id {name} of a unit is used already, in line {other}.", ASK),
    "cmi5.id_too_long": error(OURS, "The id {name} is longer than {limit} bytes.", ASK),
    "cmi5.url_empty": error(_AU, "The unit {name} has an empty address.", _ADDRESS),
    "cmi5.url_characters": error(
        f"{_AU}, RFC 1738 2.2",
        "The address {url} of the unit {name} holds “{part}”, which no address may.",
        _ADDRESS,
    ),
    "cmi5.url_form": error(
        f"{_AU}, RFC 1738 3.1",
        "The address {url} of the unit {name} is neither a file of the package nor complete, with a scheme and a host.",
        _ADDRESS,
    ),
    "cmi5.url_scheme": error(
        OURS,
        "The address {url} of the unit {name} would run inside this page ({part}:), not on its own.",
        _ADDRESS,
    ),
    "cmi5.url_parameter": error(
        "cmi5 8.1",
        "The address {url} of the unit {name} uses the parameter {parameter}, which is given at launch.",
        _ADDRESS,
    ),
    "cmi5.url_not_in_package": error(
        "cmi5 14.1",
        "The address {url} of the unit {name} means no file of the package.",
        "Ask the author to put the file into the package, or to give its complete address.",
    ),
    "cmi5.url_relative": error(
        "cmi5 14.2",
        "The address {url} of the unit {name} is not complete, and the course structure came without a zip.",
        "Import the zip with the course structure and its files.",
    ),
    "cmi5.url_elsewhere": warning(
        OFFLINE,
        "Units lie on {hosts}, not in the package, and cannot be opened without a network (number: {count}).",
        "Ask the author for a package that holds its own content.",
    ),
    "cmi5.url_application": warning(
        _AU,
        "The unit {name} starts a program by the scheme {scheme}, which no browser opens by itself.",
        "Find out whether officers' computers have the program.",
    ),
    "cmi5.url_differs": warning("cmi5 14.1", "The course structure writes {url} for the file {other}."),
    "cmi5.mastery_decimals": warning(
        _AU, "The mastery score {value} has more than {limit} decimal places; all of them are kept."
    ),
    "cmi5.objective_dangling": warning(
        "cmi5 13.1.3", "Objectives are referred to that are not described, such as {name} (number: {count})."
    ),
    "cmi5.no_title": warning("cmi5 13.1", "{name} has an empty title; its id is shown."),
    "cmi5.language_twice": warning(
        "cmi5 13.1", "A {name} is given twice in the language {language}; the first was taken."
    ),
    "cmi5.extension_no_schema": note(
        "cmi5 13.1.5",
        "Elements of {namespace} were kept as they are; the file names no schema to check them against.",
    ),
    "cmi5.more_faults": note(OURS, "There is more of the same, which is not listed (number: {count})."),
}
